import { Effect, Schedule, type Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { ChannelFailed } from "../../../../contract/errors/errors.ts"
import { attempt } from "../../../../system/files/failure.ts"
import type { Paths } from "../../../../system/files/Paths.ts"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import type { Seed } from "../../../disk/workspace-disk.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import type { Confinement } from "../../model/confinement.ts"
import { failedAt, fileFailedAt } from "../../model/failure.ts"
import type { GuestImages } from "../../model/guest.ts"
import { type MachineSpec, overlayIn } from "../../model/machine.ts"
import type { VmPurpose } from "../../model/record.ts"
import type { VmError } from "../../model/Vm.ts"
import { type Accelerator, ofAccelerator } from "../accelerator.ts"
import { prepareGuest } from "../prepare-guest.ts"
import { acquireVm } from "./acquire-vm.ts"
import { freezeMemory } from "./capture.ts"
import { type BothFaces, greet } from "./qemu-vm.ts"

/** From QEMU's start to the agent's answer: 1.3 s measured under TCG alone, more beside other work; 10 s on a KVM that is emulated itself. */
const bootTimeoutMs: Record<Accelerator, number> = { kvm: 20_000 * deadlineScale, tcg: 8_000 * deadlineScale }

/** A boot under TCG may hang without a timer tick; the next one does not. */
const bootRetries = 4

interface BootRequest {
  readonly purpose: VmPurpose
  readonly spec: MachineSpec
  readonly qemuProgram: string
  readonly qemuBuild: string
  readonly confinement: Confinement
  readonly seed: Seed
}

/** Boots a kernel until the agent answers, in the caller's Scope. */
const boot = (request: BootRequest, timeoutMs: number) =>
  Effect.gen(function*() {
    const vm = yield* acquireVm({ ...request, disk: { seed: request.seed }, frozen: undefined, dieWithParent: true })
    return { vm, channel: yield* greet(vm, { takeover: false }, timeoutMs) }
  })

/** Boots, with a longer deadline after each failure of the guest to start. */
const bootPatiently = <A, E>(
  request: BootRequest,
  use: (guest: { readonly vm: BothFaces; readonly channel: GuestChannel }) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E | VmError | ChannelFailed, Paths> => {
  let timeoutMs = ofAccelerator(request.spec, bootTimeoutMs)
  return Effect.suspend(() => {
    const now = timeoutMs
    timeoutMs *= 2
    return Effect.scoped(Effect.flatMap(boot(request, now), (guest) => Effect.result(use(guest))))
  }).pipe(
    Effect.retry({
      schedule: Schedule.recurs(bootRetries),
      while: (failure) => failure._tag === "VmFailed" && failure.step === "hello"
    }),
    Effect.flatMap(Effect.fromResult)
  )
}

interface TemplateRequest extends Omit<BootRequest, "purpose"> {
  readonly directory: string
  readonly firstPrograms: GuestImages["environment"]["firstPrograms"]
  /** Whether its empty workspace disk over `seed` is mounted. */
  readonly isMounted: boolean
}

/** Boots a guest, mounts the environment, and freezes the idle guest into `directory`. */
export const freezeTemplate = (request: TemplateRequest) =>
  bootPatiently({ ...request, purpose: "template" }, ({ channel, vm }) =>
    Effect.gen(function*() {
      yield* prepareGuest({ channel, vm }, request.firstPrograms, request.isMounted)
      yield* vm.pause
      const frozen = yield* freezeMemory(vm, request.directory)
      return request.isMounted ? { ...frozen, overlayPath: yield* keepOverlay(vm, request.directory) } : frozen
    }).pipe(
      Effect.raceFirst(vm.health.failure),
      Effect.mapError((failure) => failure._tag === "AgentCallFailed" ? failedAt("template")(failure) : failure)
    ))

/** Copies the overlay, which QEMU has flushed with the state. */
const keepOverlay = (vm: BothFaces, directory: string) =>
  Effect.flatMap(vm.disks.current, ({ overlays }) =>
    attempt("copyfile", directory, () => {
      const kept = overlayIn(directory)
      fs.copyFileSync(path.join(vm.paths.directory, overlays.at(-1)!), kept)
      return kept
    }).pipe(Effect.mapError(fileFailedAt("template", directory))))

/** Boots a kernel on KVM until its agent answers: the only proof that this host's KVM works. */
export const probeKvm = (request: Omit<BootRequest, "purpose">) =>
  Effect.scoped(boot({ ...request, purpose: "probe" }, bootTimeoutMs.kvm)).pipe(Effect.asVoid)
