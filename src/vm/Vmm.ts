import { Context, Effect, Layer, type Scope } from "effect"
import type {
  AdmissionRefused,
  ChannelFailed,
  ConfinementUnavailable,
  HostToolUnsuitable,
  InvalidConfiguration,
  NoSpace,
  StateDirectoryUnusable
} from "../contract/errors.ts"
import { type DiskSource, isEmptyOver, type Seed } from "../disk/workspace-disk.ts"
import { Paths } from "../system/Paths.ts"
import { allOrNothing } from "../system/scopes.ts"
import { greet } from "./claim/hello.ts"
import { deadlineScale } from "./deadline-scale.ts"
import { acquireVm, type ReservedVm, reserveVm, startReserved } from "./driver/qemu/acquire-vm.ts"
import { attachVm } from "./driver/qemu/attach.ts"
import { demand } from "./driver/qemu/confinement.ts"
import { freezeTemplate } from "./driver/qemu/freeze.ts"
import { untilItGoesOn } from "./driver/qemu/health.ts"
import { findHypervisor, type Hypervisor } from "./driver/qemu/hypervisor.ts"
import { type MachineIdentity, machineIdentity } from "./driver/qemu/machine-identity.ts"
import type { Accelerator, MachineSpec } from "./driver/qemu/machine.ts"
import type { Guest, GuestImages, ReserveCapturedRequest, RestoredGuest, RestoreRequest } from "./guest.ts"
import { HostFacts } from "./host/HostFacts.ts"
import { leaveMemoryStore } from "./host/memory-store.ts"
import { admit } from "./record/admission.ts"
import type { VmId } from "./record/record.ts"
import { guestsStartingAtOnce, makeStartQueue } from "./start-queue.ts"
import { templateKey } from "./template/key.ts"
import { discardTemplate, ensureTemplate } from "./template/templates.ts"
import type { VmError } from "./Vm.ts"

export type VmmError = VmError | ChannelFailed | ConfinementUnavailable | HostToolUnsuitable | InvalidConfiguration

/** How long a restored guest's agent may take to answer. Restore to answer is some 50 ms; a host with ten at once is slower. */
const helloTimeoutMs: Record<Accelerator, number> = { kvm: 10_000 * deadlineScale, tcg: 30_000 * deadlineScale }

/** Makes guests. */
export class Vmm extends Context.Tag("pyro/vm/Vmm")<Vmm, {
  /** What was found on this host; the probe of KVM boots a kernel when its answer is not known yet. */
  readonly hypervisor: (images: GuestImages, placeholder: Seed) => Effect.Effect<Hypervisor, VmmError>
  /**
   * A guest restored from the template of these images and sizes, made first when there is none: of two, one with the disk mounted where
   * that is an empty one over the placeholder. It lives as long as the Scope. A template that does not come up is thrown away and made
   * once more.
   */
  readonly restore: (request: RestoreRequest) => Effect.Effect<RestoredGuest, VmmError, Scope.Scope>
  /** With what this host would go on from such a VM's memory. */
  readonly identity: (spec: MachineSpec, images: GuestImages, seed: Seed) => Effect.Effect<MachineIdentity, VmmError>
  /** Announces a VM that is to go on from captured memory; what of it is made goes with the Scope. */
  readonly reserve: (request: ReserveCapturedRequest) => Effect.Effect<ReservedVm, VmmError, Scope.Scope>
  /** Lets reserved VMs in, all or none; to be asked before their memory is made. */
  readonly admit: (
    reserved: ReadonlyArray<ReservedVm>
  ) => Effect.Effect<void, AdmissionRefused | NoSpace | StateDirectoryUnusable>
  /**
   * A reserved VM, whose memory file is there, goes on where a captured one was. Its agent still has the streams of that moment, its
   * programs are stopped, and it is a clone until it has been made unique: nothing may run in it before.
   */
  readonly restoreCapture: (
    reserved: ReservedVm,
    captured: { readonly statePath: string; readonly disk: DiskSource }
  ) => Effect.Effect<Guest, VmmError, Scope.Scope>
  /**
   * Goes on with the VM of a workspace whose owner is gone: its processes run on, and the channel takes their streams up where they
   * are, or those that `keep` names and ends the others. The VM is this process's from now on, and ends with the Scope. Fails with
   * step `attach` when there is none, its QEMU is gone or somebody else owns it; such a VM is left as it is.
   */
  readonly attach: (
    id: VmId,
    options?: {
      readonly keep?: (stream: string) => boolean
      /** Done when the guest stands still for want of room on the host's disk: it is attached to when it goes on. */
      readonly onStill?: Effect.Effect<unknown>
    }
  ) => Effect.Effect<Guest, VmmError, Scope.Scope>
}>() {
  /** QEMU's microvm machine. */
  static readonly layerQemu = Layer.scoped(Vmm, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  // Those two alone: the context of a Layer under construction also holds the Layer's own Scope, which would take the place of the
  // caller's, and no VM would end before the Layer does.
  const context = Context.pick(Paths, HostFacts)(yield* Effect.context<Paths | HostFacts>())
  yield* Effect.addFinalizer(() => Effect.provide(leaveMemoryStore, context))
  const queued = yield* makeStartQueue(guestsStartingAtOnce)

  const hypervisor = (images: GuestImages, placeholder: Seed) =>
    Effect.provide(findHypervisor(images, placeholder), context)

  const restore = (request: RestoreRequest) =>
    Effect.gen(function*() {
      const host = yield* hypervisor(request.images, request.placeholder)
      yield* demand(host.confinement, request.leastConfinement)
      const spec = specOf(request, host)
      const { placeholder } = request
      const isMounted = request.leaveUnmounted !== true && isEmptyOver(request, placeholder)
      const key = templateKey(spec, host.qemuProgram, {
        virtualBytes: placeholder.virtualBytes,
        ...(isMounted && { mounted: placeholder.digest })
      })
      const once = Effect.gen(function*() {
        const frozen = yield* ensureTemplate(key, request.images.environment.digest, (directory) =>
          Effect.zipRight(
            request.onTemplate ?? Effect.void,
            freezeTemplate({
              spec,
              qemuProgram: host.qemuProgram,
              qemuBuild: host.qemuBuild,
              confinement: host.confinement,
              seed: placeholder,
              directory,
              isMounted
            })
          ))
        const started = Effect.gen(function*() {
          const vm = yield* acquireVm({
            purpose: request.purpose,
            spec,
            qemuProgram: host.qemuProgram,
            qemuBuild: host.qemuBuild,
            confinement: host.confinement,
            disk: request,
            frozen,
            dieWithParent: request.dieWithParent
          })
          yield* vm.resume
          return { vm, channel: yield* greet(vm, helloTimeoutMs[spec.accelerator]), isMounted }
        })
        return yield* queued(started)
      })
      return yield* allOrNothing(once).pipe(
        Effect.catchIf(
          (failure) => failure._tag === "VmFailed" && (failure.step === "hello" || failure.step === "restore"),
          () => Effect.zipRight(discardTemplate(key), allOrNothing(once))
        )
      )
    }).pipe(Effect.provide(context))

  const capturedSpec = (spec: MachineSpec, { environment, kernel }: GuestImages): MachineSpec => ({
    ...spec,
    environment: { digest: environment.digest, imagePath: environment.imagePath },
    kernel
  })

  const identity = (spec: MachineSpec, images: GuestImages, seed: Seed) =>
    Effect.map(hypervisor(images, seed), (host) =>
      machineIdentity(
        { ...capturedSpec(spec, images), accelerator: host.accelerator.accelerator, tscKhz: host.tscKhz },
        host.qemuBuild
      ))

  const reserve = (request: ReserveCapturedRequest) =>
    Effect.gen(function*() {
      const { confinement, qemuBuild, qemuProgram } = yield* hypervisor(request.images, request.seed)
      yield* demand(confinement, request.leastConfinement)
      const { dieWithParent, images, purpose, spec } = request
      return yield* reserveVm({
        purpose,
        spec: capturedSpec(spec, images),
        qemuProgram,
        qemuBuild,
        confinement,
        dieWithParent
      })
    }).pipe(Effect.provide(context))

  const restoreCapture = (
    reserved: ReservedVm,
    captured: { readonly statePath: string; readonly disk: DiskSource }
  ) =>
    allOrNothing(queued(Effect.gen(function*() {
      const vm = yield* startReserved(reserved, captured)
      yield* vm.resume
      return { vm, channel: yield* greet(vm, helloTimeoutMs[vm.spec.accelerator], { takeover: true }) }
    })))

  const attach: Context.Tag.Service<Vmm>["attach"] = (id, { keep, onStill = Effect.void } = {}) =>
    allOrNothing(Effect.gen(function*() {
      const vm = yield* attachVm(id)
      const channel = yield* untilItGoesOn(vm.health, onStill).pipe(
        Effect.zipRight(greet(vm, helloTimeoutMs[vm.spec.accelerator], { takeover: true, keep })),
        // Whoever may know what to do with it shall find it as it was.
        Effect.onError(() => Effect.ignoreLogged(vm.leave))
      )
      return { vm, channel }
    })).pipe(Effect.provide(context))

  return {
    hypervisor,
    restore,
    identity,
    reserve,
    admit: (reserved: ReadonlyArray<ReservedVm>) =>
      Effect.provide(admit(reserved.map(({ record }) => record)), context),
    restoreCapture,
    attach
  }
})

const specOf = (request: RestoreRequest, host: Hypervisor): MachineSpec => ({
  accelerator: host.accelerator.accelerator,
  vcpuCount: request.vcpuCount,
  memoryMib: request.memoryMib,
  tscKhz: host.tscKhz,
  environment: request.images.environment,
  kernel: request.images.kernel
})
