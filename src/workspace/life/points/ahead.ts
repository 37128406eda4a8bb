import { Effect, Option, Semaphore } from "effect"
import { giveAhead, type Lay, layAhead, type MemoryAhead, needsCopy, toLay } from "../../../lib/vm/memory-ahead.ts"
import { memoryBytes } from "../../../lib/vm/model/memory-image.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import type { Entry } from "../../entry/entry.ts"
import { aheadFile, type Point, readPoints } from "../records/point.ts"
import { haveRoom } from "../snapshot/capture.ts"
import { leftBytes } from "./ring.ts"

/** Time without a use after which a memory is made: commands in a row are not slowed down. */
const QUIET_MS = 1_000

/**
 * Largest memory that is made ahead in a workspace that has not gone back lately, in bytes. A copy of it takes a tenth of a second; a larger one would
 * write a GiB for a return that may never come.
 */
const SMALL_BYTES = 256 * 1024 * 1024

/** Whether a workspace does not run any more, or is about to end. */
export const isLeaving = (entry: Entry) =>
  Effect.map(
    Effect.all([entry.state.now, entry.deletion.isUnderWay]),
    ([{ state }, isBeingDeleted]) => state !== "running" || isBeingDeleted
  )

/** The parts of the memory that is made ahead of the next return, by workspace. */
const made = new WeakMap<Entry, MemoryAhead["parts"]>()

/** One at a time makes the memory of a workspace. */
const locks = new WeakMap<Entry, Semaphore.Semaphore>()

const lockOf = (entry: Entry): Semaphore.Semaphore => {
  const lock = locks.get(entry) ?? Semaphore.makeUnsafe(1)
  locks.set(entry, lock)
  return lock
}

const aheadOf = (entry: Entry): MemoryAhead => ({ file: aheadFile(entry.folder), parts: made.get(entry) ?? [] })

/** Removes the memory. The caller has the lock of it, or the workspace ends. */
const drop = (entry: Entry): Effect.Effect<void> =>
  Effect.suspend(() => {
    made.delete(entry)
    return Effect.ignore(removeTree(aheadFile(entry.folder)))
  })

/** Removes the memory that was made ahead, if there is one. */
export const dropAhead = (entry: Entry): Effect.Effect<void> =>
  Effect.suspend(() => made.has(entry) ? drop(entry) : Effect.void)

/** Whether a memory that is made anew is worth its bytes, and has room in the budget of points. */
const isWorth = (entry: Entry, { memoryPath }: Lay, { isExpected }: { readonly isExpected: boolean }) =>
  Effect.gen(function*() {
    const bytes = memoryBytes(memoryPath)
    if (!isExpected && bytes > SMALL_BYTES) return false
    return bytes <= (yield* leftBytes(entry.folder, yield* entry.record.now, yield* readPoints(entry.folder)))
  })

const makeOf = (entry: Entry, memoryPath: string, expected: { readonly isExpected: boolean }) =>
  Effect.gen(function*() {
    const ahead = aheadOf(entry)
    const lay = yield* toLay(ahead, memoryPath)
    if (lay === undefined) return
    if (lay.isNew && !(yield* isWorth(entry, lay, expected))) return yield* drop(entry)
    // No return may take the memory until it is whole.
    made.delete(entry)
    const room = lay.isNew ? haveRoom(memoryBytes(memoryPath), ahead.file) : Effect.void
    const { parts } = yield* Effect.andThen(room, layAhead(ahead, lay)).pipe(
      asStep("memory ahead"),
      Effect.onError(() => drop(entry))
    )
    made.set(entry, parts)
  })

/**
 * Makes the memory of the point that the next return likely goes to, a moment after the last use. `likely` is looked up then: the memory is of the state
 * after the commands of that moment. The next use makes another look due.
 */
export const makeAhead = <E extends { readonly message: string }, R>(
  entry: Entry,
  likely: Effect.Effect<Option.Option<Point>, E, R>,
  expected: { readonly isExpected: boolean }
) =>
  Effect.gen(function*() {
    const { lastMs } = entry.uses
    yield* Effect.sleep(QUIET_MS)
    if (entry.uses.lastMs !== lastMs || entry.uses.count > 0) return
    yield* Effect.gen(function*() {
      const point = yield* likely
      const memoryPath = Option.map(point, ({ folder }) => folder.frozen.memoryPath)
      const hasMemory = Option.exists(point, ({ record }) => record.captured.memory !== undefined)
      if (Option.isNone(memoryPath) || !hasMemory || !(yield* needsCopy(memoryPath.value))) {
        return yield* dropAhead(entry)
      }
      yield* makeOf(entry, memoryPath.value, expected)
      // The end may have been requested before this memory existed.
      if (yield* isLeaving(entry)) yield* dropAhead(entry)
    }).pipe(lockOf(entry).withPermits(1))
  }).pipe(Effect.catch((failure) => Effect.logDebug(`${entry.id}: no memory is made ahead: ${failure.message}`)))

/** Makes the memory that was made ahead the whole image of a point, if it is that point's. Without it, the copy is made as usual. */
export const takeAhead = (entry: Entry, { folder }: Pick<Point, "folder">): Effect.Effect<void> =>
  Effect.gen(function*() {
    if (made.has(entry) && (yield* giveAhead(aheadOf(entry), folder.frozen.memoryPath))) made.delete(entry)
  }).pipe(Effect.ignore)
