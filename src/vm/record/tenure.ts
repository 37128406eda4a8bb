import { Effect, Ref } from "effect"
import type { NoSpace, VmFailed } from "../../contract/errors.ts"
import { fileFailedAt } from "../failure.ts"
import { nobody, type VmPaths, type VmRecord, writeRecord } from "./record.ts"

/** This process's hold on one VM: it alone writes the record, and what the Scope does to the VM depends on it. */
export interface Tenure {
  readonly paths: VmPaths
  readonly record: Effect.Effect<VmRecord>
  /** Changes the record; on disk when the effect has ended. */
  readonly update: (change: (record: VmRecord) => VmRecord) => Effect.Effect<void, VmFailed | NoSpace>
  /**
   * From now on the end of the Scope only lets go: the VM stays, and belongs to whoever attaches to it. Where that could not be written
   * down, to whoever comes when this process is gone.
   */
  readonly leave: Effect.Effect<void, VmFailed | NoSpace>
  /** Of a release: what it does to the VM, not done when the VM was left. */
  readonly unlessLeft: (release: Effect.Effect<void>) => Effect.Effect<void>
}

/** Takes charge of a VM whose record, `initial`, is on disk already, or is about to be put there. */
export const makeTenure = (paths: VmPaths, initial: VmRecord): Effect.Effect<Tenure> =>
  Effect.gen(function*() {
    const record = yield* Ref.make(initial)
    const left = yield* Ref.make(false)
    const one = yield* Effect.makeSemaphore(1)
    const update: Tenure["update"] = (change) =>
      Effect.gen(function*() {
        const changed = change(yield* Ref.get(record))
        yield* writeRecord(paths, changed).pipe(
          Effect.mapError((failure) => fileFailedAt("record", paths.directory)(failure.cause ?? failure))
        )
        yield* Ref.set(record, changed)
      }).pipe(one.withPermits(1), Effect.uninterruptible)
    return {
      paths,
      record: Ref.get(record),
      update,
      leave: Effect.ensuring(update((now) => ({ ...now, owner: nobody() })), Ref.set(left, true)),
      unlessLeft: (release) => Effect.flatMap(Ref.get(left), (gone) => gone ? Effect.void : release)
    }
  })
