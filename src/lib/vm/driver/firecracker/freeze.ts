import { Effect, type Scope } from "effect"
import * as path from "node:path"
import type { ChannelFailed } from "../../../../contract/errors/errors.ts"
import type { Paths } from "../../../../system/files/Paths.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import type { Seed } from "../../../disk/workspace-disk.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { failedAt } from "../../model/failure.ts"
import type { GuestImages } from "../../model/guest.ts"
import { type Frozen, type MachineSpec, overlayIn } from "../../model/machine.ts"
import type { VmPurpose } from "../../model/record.ts"
import type { VmError } from "../../model/Vm.ts"
import { copySparse } from "../memory.ts"
import { prepareGuest } from "../prepare-guest.ts"
import { acquireVm, type Firecracker } from "./acquire-vm.ts"
import { freezeMemory } from "./freeze-memory.ts"
import { names } from "./machine.ts"
import type { FirecrackerVm } from "./vm.ts"

/** From the start of the kernel to the agent's answer: some 0.2 s; 6 s on a KVM that is emulated itself. */
const bootTimeoutMs = 20_000 * deadlineScale

interface BootRequest {
  readonly host: Firecracker
  readonly purpose: VmPurpose
  readonly spec: MachineSpec
  readonly seed: Seed
}

/** Boots a kernel until the agent answers, in the caller's Scope. */
const boot = (
  request: BootRequest
): Effect.Effect<
  { readonly vm: FirecrackerVm; readonly channel: GuestChannel },
  VmError | ChannelFailed,
  Scope.Scope | Paths
> =>
  Effect.gen(function*() {
    const vm = yield* acquireVm({ ...request, disk: { seed: request.seed }, frozen: undefined, dieWithParent: true })
    return { vm, channel: yield* vm.greet({ takeover: true }, bootTimeoutMs) }
  })

interface TemplateRequest extends Omit<BootRequest, "purpose"> {
  readonly directory: string
  readonly firstPrograms: GuestImages["environment"]["firstPrograms"]
  /** Whether its empty workspace disk over `seed` is mounted. */
  readonly isMounted: boolean
}

/** Boots a guest, mounts the environment, and freezes the idle guest into `directory`. */
export const freezeTemplate = ({ directory, firstPrograms, isMounted, ...request }: TemplateRequest) =>
  Effect.scoped(Effect.gen(function*() {
    const { channel, vm } = yield* boot({ ...request, purpose: "template" })
    return yield* Effect.gen(function*() {
      yield* prepareGuest({ channel, vm }, firstPrograms, isMounted)
      yield* vm.pause
      const frozen: Frozen = yield* freezeMemory(vm, directory)
      if (!isMounted) return frozen
      const overlayPath = overlayIn(directory)
      yield* copySparse(path.join(vm.ownership.paths.directory, names.store), overlayPath, process.getuid?.() ?? 0)
      return { ...frozen, overlayPath }
    }).pipe(
      Effect.raceFirst(vm.health.failure),
      Effect.mapError((failure) => failure._tag === "AgentCallFailed" ? failedAt("template")(failure) : failure)
    )
  }))

/** Boots a kernel until its agent answers: the only proof that Firecracker works on this host's KVM. */
export const probe = (request: Omit<BootRequest, "purpose">) =>
  Effect.scoped(boot({ ...request, purpose: "probe" })).pipe(Effect.asVoid)
