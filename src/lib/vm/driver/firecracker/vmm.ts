import { Effect } from "effect"
import { asStep } from "../../../../system/telemetry/spans.ts"
import type { RestoreRequest } from "../../model/guest.ts"
import type { MachineSpec } from "../../model/machine.ts"
import { makeDriverService } from "../driver-service.ts"
import { acquireVm, reserveFirecracker, startReserved } from "./acquire-vm.ts"
import { attachVm } from "./attach.ts"
import { freezeTemplate } from "./freeze.ts"
import { findHypervisor, type Hypervisor } from "./hypervisor.ts"
import { machineIdentity, templateKey } from "./identity.ts"
import { fillMemory, memoryOf, settleMemory, wholeOf } from "./memory.ts"
import { findFirecracker, unavailable } from "./program.ts"

/** Guests on Firecracker. */
export const makeFirecrackerVmm = makeDriverService({
  template: "a Firecracker template",
  program: Effect.map(findFirecracker, ({ program }) => program),
  find: findHypervisor,
  acceleratorOf: () => ({ accelerator: "kvm", reason: "a guest kernel booted on it" }),
  refuse: ({ result }) => result === undefined ? undefined : unavailable("it has no disk for a result"),
  specOf: (
    { images: { environment, kernel }, memoryMib, vcpuCount }: RestoreRequest,
    { tscKhz }: Hypervisor
  ): MachineSpec => ({
    driver: "firecracker",
    accelerator: "kvm",
    vcpuCount,
    memoryMib,
    tscKhz,
    environment,
    kernel
  }),
  templateKey: (spec, { program }, disk) => templateKey(spec, program, disk),
  identityOf: (spec, { build, tscKhz }) => machineIdentity({ ...spec, tscKhz }, build),
  freeze: (host, template) => freezeTemplate({ host, ...template }),
  acquire: (host, spec, { dieWithParent, purpose, ...disk }, frozen) =>
    acquireVm({ host, purpose, spec, disk, frozen, dieWithParent }),
  reserve: (host, { dieWithParent, purpose, spec }) => reserveFirecracker({ host, purpose, spec, dieWithParent }),
  memoryOf,
  fill: ({ ownership }, memoryPath) => fillMemory(ownership.paths, memoryPath).pipe(asStep("memory link")),
  startCaptured: (reserved, { disk, statePath }) =>
    Effect.gen(function*() {
      const { paths } = reserved.ownership
      yield* settleMemory(paths).pipe(asStep("whole memory"))
      return yield* startReserved(reserved, { disk, frozen: { statePath, memoryPath: memoryOf(paths) } })
    }),
  // Its VMs share every memory: `fill` links it.
  canShare: () => Effect.succeed(false),
  shareMemory: () => Effect.die(new Error("Firecracker shares every memory")),
  prepareMemory: (memoryPath) => Effect.asVoid(wholeOf(memoryPath)).pipe(asStep("whole memory")),
  attachVm
})
