import { Context, Effect } from "effect"
import { Paths } from "../../../../system/files/Paths.ts"
import { asStep } from "../../../../system/telemetry/spans.ts"
import { allOrNothing } from "../../../../system/waits/effects.ts"
import { isEmptyOver, type Seed } from "../../../disk/workspace-disk.ts"
import { demand } from "../../model/confinement.ts"
import type {
  CapturedState,
  DriverService,
  GuestImages,
  OnSlowStep,
  ReserveCapturedRequest,
  RestoreRequest
} from "../../model/guest.ts"
import { HostFacts } from "../../model/HostFacts.ts"
import type { MachineSpec } from "../../model/machine.ts"
import { leaveMemoryStore } from "../../model/sweep.ts"
import type { SharedMemory } from "../../model/Vm.ts"
import { admit, guestsStartingAtOnce, makeStartQueue } from "../admission.ts"
import { capturedSpec, startFromTemplate } from "../from-template.ts"
import { fillMemory } from "../memory.ts"
import { untilResumed } from "../standstill.ts"
import { acquireVm, type QemuReservation, reserveQemu, startReserved } from "./acquire-vm.ts"
import { attachVm } from "./attach.ts"
import { freezeTemplate } from "./freeze.ts"
import { findHypervisor, findQemu, type Hypervisor } from "./hypervisor.ts"
import { machineIdentity, templateKey } from "./identity.ts"
import { canShare, sealed } from "./shared-memory.ts"

/** Empty workspaces and workspaces with files have different templates. */
const makingTemplate = (isMounted: boolean) =>
  `preparing a template of ${
    isMounted ? "empty workspaces" : "workspaces with files"
  } (once for this environment and size)`

/** Guests on QEMU's microvm machine. */
export const makeQemuVmm = Effect.gen(function*() {
  // Only these two: the context of a Layer under construction also has the Layer's own Scope. It would replace the caller's, and no VM
  // would end before the Layer.
  const context = Context.pick(Paths, HostFacts)(yield* Effect.context<Paths | HostFacts>())
  yield* Effect.addFinalizer(() => Effect.provide(leaveMemoryStore, context))
  const queued = yield* makeStartQueue(guestsStartingAtOnce)

  const hypervisor = (images: GuestImages, placeholder: Seed, onSlowStep?: OnSlowStep) =>
    Effect.provide(findHypervisor(images, placeholder, onSlowStep), context).pipe(asStep("hypervisor"))

  const restore = (request: RestoreRequest) =>
    Effect.gen(function*() {
      const host = yield* hypervisor(request.images, request.placeholder, request.onSlowStep)
      yield* demand(host.confinement, request.leastConfinement)
      const spec = specOf(request, host)
      const { confinement, qemuBuild, qemuProgram } = host
      const machine = { spec, qemuProgram, qemuBuild, confinement }
      const { placeholder } = request
      const isMounted = request.leaveUnmounted !== true && isEmptyOver(request, placeholder)
      const key = templateKey(spec, qemuProgram, {
        virtualBytes: placeholder.virtualBytes,
        ...(isMounted && { mounted: placeholder.digest })
      })
      const started = yield* startFromTemplate({
        key,
        images: request.images,
        freeze: (directory) =>
          freezeTemplate({
            ...machine,
            seed: placeholder,
            firstPrograms: request.images.environment.firstPrograms,
            directory,
            isMounted
          }),
        start: (frozen) => {
          const { dieWithParent, purpose } = request
          return acquireVm({
            ...machine,
            purpose,
            disk: request,
            frozen,
            dieWithParent,
            resultFile: request.result?.file
          })
        },
        queued,
        slowStep: makingTemplate(isMounted),
        onSlowStep: request.onSlowStep
      })
      return { ...started, isMounted }
    }).pipe(asStep("restore"), Effect.provide(context))

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
      const { dieWithParent, images, purpose, sharedBytes, spec } = request
      const reservation = yield* reserveQemu({
        purpose,
        spec: capturedSpec(spec, images),
        qemuProgram,
        qemuBuild,
        confinement,
        dieWithParent,
        sharedBytes
      })
      const { ownership: { paths }, record } = reservation
      let shared: SharedMemory | undefined
      return {
        record,
        memory: { path: paths.memory, uid: record.uid },
        fill: (memoryPath: string) => fillMemory(paths, record, memoryPath).pipe(asStep("memory copy")),
        share: (memory: SharedMemory) => void (shared = memory),
        restore: (captured: CapturedState) => restoreCapture(reservation, { ...captured, shared })
      }
    }).pipe(Effect.provide(context))

  const restoreCapture = (
    reserved: QemuReservation,
    captured: CapturedState & { readonly shared: SharedMemory | undefined }
  ) =>
    allOrNothing(
      queued(
        Effect.gen(function*() {
          const vm = yield* startReserved(reserved, captured)
          yield* vm.resume
          return { vm, channel: yield* vm.channel({ takeover: true }).pipe(asStep("hello")) }
        }).pipe(asStep("start"))
      ).pipe(asStep("queue"))
    )

  const attach: DriverService["attach"] = (id, { keep, onStill = Effect.void } = {}) =>
    allOrNothing(Effect.gen(function*() {
      const vm = yield* attachVm(id)
      const channel = yield* untilResumed(vm.health, onStill).pipe(
        Effect.andThen(vm.channel({ takeover: true, keep })),
        // The next process that attaches finds the VM as it was.
        Effect.onError(() => Effect.ignoreCause(vm.leave))
      )
      return { vm, channel }
    })).pipe(Effect.provide(context))

  const service: DriverService = {
    program: Effect.provide(findQemu, context),
    accelerator: (images, placeholder) => Effect.map(hypervisor(images, placeholder), ({ accelerator }) => accelerator),
    restore,
    identity,
    reserve,
    canShare: (spec, count) => Effect.provide(canShare(spec, count), context),
    shareMemory: (memoryPath) => sealed(memoryPath).pipe(asStep("share memory")),
    // A capture writes all of the memory.
    prepareMemory: () => Effect.void,
    admit: (reserved) => Effect.provide(admit(reserved.map(({ record }) => record)), context),
    attach
  }
  return service
})

const specOf = (request: RestoreRequest, host: Hypervisor): MachineSpec => ({
  accelerator: host.accelerator.accelerator,
  vcpuCount: request.vcpuCount,
  memoryMib: request.memoryMib,
  ...(request.hasTap === true ? { hasTap: true } : {}),
  ...(request.result === undefined ? {} : { resultMib: request.result.mib }),
  tscKhz: host.tscKhz,
  environment: request.images.environment,
  kernel: request.images.kernel
})
