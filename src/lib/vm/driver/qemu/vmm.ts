import { Effect } from "effect"
import { asStep } from "../../../../system/telemetry/spans.ts"
import type { RestoreRequest } from "../../model/guest.ts"
import type { MachineSpec } from "../../model/machine.ts"
import { leaveMemoryStore } from "../../model/sweep.ts"
import { makeDriverService } from "../driver-service.ts"
import { fillMemory } from "../memory.ts"
import { acquireVm, reserveQemu, startReserved } from "./acquire-vm.ts"
import { attachVm } from "./attach.ts"
import { freezeTemplate } from "./freeze.ts"
import { findHypervisor, findQemu, type Hypervisor } from "./hypervisor.ts"
import { machineIdentity, templateKey } from "./identity.ts"
import { canShare, sealed } from "./shared-memory.ts"

/** Guests on QEMU's microvm machine. */
export const makeQemuVmm = Effect.gen(function*() {
  yield* Effect.addFinalizer(() => leaveMemoryStore)
  return yield* makeDriverService({
    template: "a template",
    program: findQemu,
    find: findHypervisor,
    acceleratorOf: ({ accelerator }) => accelerator,
    specOf,
    templateKey: (spec, { qemuProgram }, disk) => templateKey(spec, qemuProgram, disk),
    identityOf: (spec, { accelerator: { accelerator }, qemuBuild, tscKhz }) =>
      machineIdentity({ ...spec, accelerator, tscKhz }, qemuBuild),
    freeze: (host, template) => freezeTemplate({ ...machineOf(host), ...template }),
    acquire: (host, spec, { dieWithParent, purpose, result, ...disk }, frozen) =>
      acquireVm({ ...machineOf(host), spec, purpose, disk, frozen, dieWithParent, resultFile: result?.file }),
    reserve: (host, request) => reserveQemu({ ...machineOf(host), ...request }),
    memoryOf: ({ memory }) => memory,
    fill: ({ ownership, record }, memoryPath) =>
      fillMemory(ownership.paths, record, memoryPath).pipe(asStep("memory copy")),
    startCaptured: (reserved, captured, shared) => startReserved(reserved, { ...captured, shared }),
    canShare,
    shareMemory: (memoryPath) => sealed(memoryPath).pipe(asStep("share memory")),
    // A capture writes all of the memory.
    prepareMemory: () => Effect.void,
    attachVm
  })
})

/** What every VM of this host's QEMU is started with. */
const machineOf = ({ confinement, qemuBuild, qemuProgram }: Hypervisor) => ({ confinement, qemuBuild, qemuProgram })

const specOf = (request: RestoreRequest, host: Hypervisor): MachineSpec => ({
  accelerator: host.accelerator.accelerator,
  vcpuCount: request.vcpuCount,
  memoryMib: request.memoryMib,
  ...(request.result === undefined ? {} : { resultMib: request.result.mib }),
  tscKhz: host.tscKhz,
  environment: request.images.environment,
  kernel: request.images.kernel
})
