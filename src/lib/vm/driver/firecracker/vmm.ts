import { Context, Effect } from "effect"
import { Paths } from "../../../../system/files/Paths.ts"
import { asStep } from "../../../../system/telemetry/spans.ts"
import { allOrNothing } from "../../../../system/waits/effects.ts"
import { type DiskSource, isEmptyOver, type Seed } from "../../../disk/workspace-disk.ts"
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
import { admit, guestsStartingAtOnce, makeStartQueue } from "../admission.ts"
import { capturedSpec, startFromTemplate } from "../from-template.ts"
import { untilResumed } from "../standstill.ts"
import { acquireVm, type FirecrackerReservation, reserveFirecracker, startReserved } from "./acquire-vm.ts"
import { attachVm } from "./attach.ts"
import { freezeTemplate } from "./freeze.ts"
import { findHypervisor } from "./hypervisor.ts"
import { machineIdentity, templateKey } from "./identity.ts"
import { fillMemory, memoryOf, settleMemory, wholeOf } from "./memory.ts"
import { findFirecracker, unavailable } from "./program.ts"

const making = (isMounted: boolean) =>
  `preparing a Firecracker template of ${
    isMounted ? "empty workspaces" : "workspaces with files"
  } (once for this environment and size)`

/** Guests on Firecracker. */
export const makeFirecrackerVmm = Effect.gen(function*() {
  // Only these two: the context of a Layer under construction also has the Layer's own Scope.
  const context = Context.pick(Paths, HostFacts)(yield* Effect.context<Paths | HostFacts>())
  const queued = yield* makeStartQueue(guestsStartingAtOnce)

  const hypervisor = (images: GuestImages, placeholder: Seed, onSlowStep?: OnSlowStep) =>
    Effect.provide(findHypervisor(images, placeholder, onSlowStep), context).pipe(asStep("hypervisor"))

  const restore = (request: RestoreRequest) =>
    Effect.gen(function*() {
      if (request.hasTap === true) {
        return yield* unavailable(
          "it has no network device of pyro's. Use the network without one: --network-driver streams"
        )
      }
      if (request.result !== undefined) return yield* unavailable("it has no disk for a result")
      const { host, tscKhz } = yield* hypervisor(request.images, request.placeholder, request.onSlowStep)
      yield* demand(host.confinement, request.leastConfinement)
      const { placeholder } = request
      const spec: MachineSpec = {
        driver: "firecracker",
        accelerator: "kvm",
        vcpuCount: request.vcpuCount,
        memoryMib: request.memoryMib,
        tscKhz,
        environment: request.images.environment,
        kernel: request.images.kernel
      }
      const isMounted = request.leaveUnmounted !== true && isEmptyOver(request, placeholder)
      const key = templateKey(spec, host.program, {
        virtualBytes: placeholder.virtualBytes,
        ...(isMounted && { mounted: placeholder.digest })
      })
      const started = yield* startFromTemplate({
        key,
        images: request.images,
        freeze: (directory) =>
          freezeTemplate({
            host,
            spec,
            seed: placeholder,
            firstPrograms: request.images.environment.firstPrograms,
            directory,
            isMounted
          }),
        start: (frozen) => {
          const { dieWithParent, purpose } = request
          return acquireVm({ host, purpose, spec, disk: request, frozen, dieWithParent })
        },
        queued,
        slowStep: making(isMounted),
        onSlowStep: request.onSlowStep
      })
      return { ...started, isMounted }
    }).pipe(asStep("restore"), Effect.provide(context))

  const identity = (spec: MachineSpec, images: GuestImages, seed: Seed) =>
    Effect.map(
      hypervisor(images, seed),
      ({ host, tscKhz }) => machineIdentity({ ...capturedSpec(spec, images), tscKhz }, host.build)
    )

  const reserve = (request: ReserveCapturedRequest) =>
    Effect.gen(function*() {
      const { host } = yield* hypervisor(request.images, request.seed)
      yield* demand(host.confinement, request.leastConfinement)
      const { dieWithParent, images, purpose, spec } = request
      const reservation = yield* reserveFirecracker({
        host,
        purpose,
        spec: capturedSpec(spec, images),
        dieWithParent
      })
      const { ownership: { paths }, record } = reservation
      return {
        record,
        memory: { path: memoryOf(paths), uid: record.uid },
        share: () => {},
        fill: (memoryPath: string) => fillMemory(paths, memoryPath).pipe(asStep("memory link")),
        restore: (captured: CapturedState) => restoreCapture(reservation, captured.statePath, captured.disk)
      }
    }).pipe(Effect.provide(context))

  const restoreCapture = (reserved: FirecrackerReservation, statePath: string, disk: DiskSource) =>
    allOrNothing(
      queued(
        Effect.gen(function*() {
          const { paths } = reserved.ownership
          yield* settleMemory(paths).pipe(asStep("whole memory"))
          const frozen = { statePath, memoryPath: memoryOf(paths) }
          const vm = yield* startReserved(reserved, { disk, frozen })
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
    program: Effect.map(Effect.provide(findFirecracker, context), ({ program }) => program),
    accelerator: (images, placeholder) =>
      Effect.as(hypervisor(images, placeholder), { accelerator: "kvm", reason: "a guest kernel booted on it" }),
    restore,
    identity,
    reserve,
    // Its VMs share every memory: `fill` links it.
    canShare: () => Effect.succeed(false),
    shareMemory: () => Effect.die(new Error("Firecracker shares every memory")),
    prepareMemory: (memoryPath) => Effect.asVoid(wholeOf(memoryPath)).pipe(asStep("whole memory")),
    admit: (reserved) => Effect.provide(admit(reserved.map(({ record }) => record)), context),
    attach
  }
  return service
})
