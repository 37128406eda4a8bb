import { Effect, Semaphore } from "effect"
import type { VmFailed } from "../../../../contract/errors/errors.ts"
import { vmFailed } from "../../model/failure.ts"
import type { VmDisks } from "../../model/Vm.ts"
import type { Ownership } from "../ownership.ts"
import type { Api } from "./api.ts"
import { reopenDisk, resume } from "./machine.ts"
import { nameStore, placeDisk } from "./store.ts"

/** A store has all of its disk, so there is nothing to merge. */
const noLayers: Effect.Effect<never, VmFailed> = vmFailed("merge", "a disk of Firecracker has one layer")

/** The disk of a running VM. */
export const makeDisks = (options: {
  readonly api: Api
  readonly ownership: Ownership
  readonly uid: number
  /** Runs after each step that resumes the guest. */
  readonly onResume: Effect.Effect<void>
}): Effect.Effect<VmDisks> =>
  Effect.gen(function*() {
    const { api, onResume, ownership, uid } = options
    const one = yield* Semaphore.make(1)
    const goOn = Effect.andThen(api.send("resume", resume), onResume)
    return {
      layerCount: Effect.succeed(0),
      merge: () => noLayers,
      replace: () => noLayers,
      switchTo: (disk, { handOver } = {}) =>
        Effect.gen(function*() {
          yield* placeDisk(ownership.paths, uid, disk)
          if (handOver !== undefined) yield* ownership.update((record) => ({ ...record, purpose: handOver }))
          yield* api.send("switch disks", ...reopenDisk)
          if (handOver !== undefined) yield* goOn
        }).pipe(one.withPermits(1)),
      handOver: (purpose, top) =>
        Effect.gen(function*() {
          yield* ownership.update((record) => ({ ...record, purpose }))
          if (top !== undefined) yield* nameStore(ownership.paths, top)
          yield* goOn
        }).pipe(one.withPermits(1))
    }
  })
