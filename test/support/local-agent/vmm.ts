import { Context, Effect } from "effect"
import { ConfinementUnavailable, HostToolMissing } from "../../../src/contract/errors/errors.ts"
import { admit, guestsStartingAtOnce, makeStartQueue } from "../../../src/lib/vm/driver/admission.ts"
import type { ConfinementLevel } from "../../../src/lib/vm/model/confinement.ts"
import { fileFailedAt } from "../../../src/lib/vm/model/failure.ts"
import type { CapturedState, GuestImages, VmmService } from "../../../src/lib/vm/model/guest.ts"
import type { MachineSpec } from "../../../src/lib/vm/model/machine.ts"
import { copyFile } from "../../../src/system/files/content.ts"
import { exists } from "../../../src/system/files/entries.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { allOrNothing } from "../../../src/system/waits/effects.ts"
import { attachVm } from "./attach.ts"
import { directoriesOf, sweepDirectories } from "./directories.ts"
import { hostProcessor, identityOf } from "./identity.ts"
import type { LocalAgentOptions } from "./options.ts"
import { wholeMemory } from "./points.ts"
import { type Reservation, reserveVm, startReserved } from "./reserve.ts"

/**
 * Guests that are processes of the host: the guest agent in namespaces, with directories in place of disks. For tests of everything above
 * the VMM. A local agent isolates nothing: its programs run on the host's kernel, with the host's programs.
 */
export const makeLocalAgentVmm = (options: LocalAgentOptions) =>
  Effect.gen(function*() {
    const context = Context.pick(Paths)(yield* Effect.context<Paths>())
    const sweep = Effect.flatMap(Paths, (paths) => sweepDirectories(directoriesOf(paths)))
    yield* Effect.acquireRelease(Effect.provide(sweep, context), () => Effect.provide(sweep, context))
    const queued = yield* makeStartQueue(guestsStartingAtOnce)

    const restore: VmmService["restore"] = (request) =>
      Effect.gen(function*() {
        yield* demandNothing(request.leastConfinement)
        const reserved = yield* reserveVm({ ...request, spec: specOf(request) })
        yield* admit([reserved.record])
        const vm = yield* startReserved(reserved, options, { disk: request, memory: undefined })
        return { vm, channel: yield* vm.channel(), isMounted: request.leaveUnmounted !== true }
      }).pipe(queued, allOrNothing, Effect.provide(context))

    const reserve: VmmService["reserve"] = (request) =>
      Effect.gen(function*() {
        yield* demandNothing(request.leastConfinement)
        const spec = { ...request.spec, ...imagesOf(request.images) }
        const reserved = yield* reserveVm({ ...request, spec })
        const { ownership: { paths }, record } = reserved
        return {
          record,
          memory: { path: paths.memory, uid: record.uid },
          share: () => {},
          fill: (memoryPath: string) =>
            Effect.flatMap(
              wholeMemory(memoryPath),
              (whole) => Effect.mapError(copyFile(whole, paths.memory), fileFailedAt("memory", paths.memory))
            ),
          restore: (captured: CapturedState) => restoreCapture(reserved, captured)
        }
      }).pipe(Effect.provide(context))

    const restoreCapture = (reserved: Reservation, { disk }: CapturedState) =>
      Effect.gen(function*() {
        const vm = yield* startReserved(reserved, options, { disk, memory: reserved.ownership.paths.memory })
        return { vm, channel: yield* vm.channel() }
      }).pipe(queued, allOrNothing, Effect.provide(context))

    const attach: VmmService["attach"] = (id, { keep } = {}) =>
      Effect.gen(function*() {
        const vm = yield* attachVm(id, options)
        const channel = yield* vm.channel({ takeover: true, keep }).pipe(
          // The next process that attaches finds the VM as it was.
          Effect.onError(() => Effect.ignoreCause(vm.leave))
        )
        return { vm, channel }
      }).pipe(allOrNothing, Effect.provide(context))

    const service: VmmService = {
      on: () => service,
      program: Effect.suspend(() =>
        exists(options.program)
          ? Effect.succeed(options.program)
          : new HostToolMissing({ tool: options.program, package: "pyro", detail: "it is not there" })
      ),
      accelerator: () => Effect.succeed({ accelerator: hostProcessor, reason: "a local agent is no microVM" }),
      restore,
      identity: (spec, images) => Effect.succeed(identityOf({ ...spec, ...imagesOf(images) }, options)),
      reserve,
      canShare: () => Effect.succeed(false),
      shareMemory: () => Effect.die("no local agent shares memory"),
      prepareMemory: (memoryPath) => Effect.asVoid(wholeMemory(memoryPath)),
      admit: (reserved) => Effect.provide(admit(reserved.map(({ record }) => record)), context),
      attach
    }
    return service
  })

/** A local agent is confined by nothing that a caller could insist on. */
const demandNothing = (least: ConfinementLevel | undefined) =>
  least === undefined
    ? Effect.void
    : new ConfinementUnavailable({ level: "none", detail: "a local agent shares the host's kernel" })

const imagesOf = ({ environment, kernel }: GuestImages): Pick<MachineSpec, "environment" | "kernel"> => ({
  environment,
  kernel
})

const specOf = (request: {
  readonly images: GuestImages
  readonly vcpuCount: number
  readonly memoryMib: number
}): MachineSpec => ({
  accelerator: hostProcessor,
  vcpuCount: request.vcpuCount,
  memoryMib: request.memoryMib,
  tscKhz: 1,
  ...imagesOf(request.images)
})
