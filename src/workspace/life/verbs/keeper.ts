import { Deferred, Effect, Option, Ref } from "effect"
import type { VmPoints } from "../../../lib/vm/model/Vm.ts"
import { settingNow } from "../../../system/settings/config.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { onceFree } from "../../../system/waits/once-free.ts"
import { monotonicMs, nowMs } from "../../../system/waits/time.ts"
import type { Lifecycle, LifecycleServices } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { lookAgain, type PointMarks, takeLook, whileTaking } from "../../entry/point-marks.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import { openResidentsOf } from "../../residents/open/entry-residents.ts"
import { takePoint } from "../points/take.ts"
import { mergeIfTooLong } from "../snapshot/flatten.ts"
import { expectReturn } from "./expect.ts"

/** Time without a use until a workspace counts as idle between two commands, in ms. */
const QUIET_MS = 150

/** Longest time that the start of a command waits for the guest to write its memory to the disk, in ms: a point is worth more. */
const BEFORE_COMMAND = 1_000 * deadlineScale

/** Longest capture of the last point with memory, in ms, with which a command waits for the next one: it may take as long. */
const MAX_CAPTURE_MS = 100 * deadlineScale

/** Bytes of new memory up to which a command waits for a point with memory. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024

/** A guest stands still for points with memory at most for this part of the time. */
const STILL_PART = 1 / 50

/** Captures of such points take at most this part of the time: they compare the disk while the guest runs. */
const BUSY_PART = 1 / 20

/** Nobody rewinds a candidate of a try or a builder of images, and their commands wait for no point. */
export const hasPoints = ({ result, tryOf }: Partial<Pick<WorkspaceRecord, "result" | "tryOf">>): boolean =>
  tryOf === undefined && result === undefined && settingNow("PYRO_REWIND_MIB") > 0

/**
 * Whether a point takes so little time that a command waits for it: a point of the disk, or one with little memory. The first one with memory is
 * made while the guest is idle, or before the second command. So is the first one after a return to a point: that point is the state before the command,
 * unless a program has run since (`isUnused`).
 */
export const isQuick = (
  { pointMarks }: { readonly pointMarks: Pick<PointMarks, "captureMs" | "returnedAt"> },
  { points }: { readonly points?: Pick<VmPoints, "pendingBytes"> | undefined },
  { steps }: { readonly steps: ReadonlyArray<unknown> },
  { isUnused = false }: { readonly isUnused?: boolean } = {}
): Effect.Effect<boolean> =>
  points === undefined
    ? Effect.succeed(true)
    : pointMarks.captureMs > MAX_CAPTURE_MS ||
        ([0, pointMarks.returnedAt].includes(steps.length) && !(isUnused && pointMarks.captureMs > 0))
    ? Effect.succeed(false)
    : Effect.map(points.pendingBytes, (bytes) => bytes <= MAX_PENDING_BYTES)

/** Time between two points of a workspace, after the first ones. */
export const everyMs = (
  { pointMarks }: { readonly pointMarks: Pick<PointMarks, "captureMs" | "pauseMs"> }
): number => {
  const set = settingNow("PYRO_REWIND_EVERY_MS")
  return set === 0 ? 0 : Math.max(set, pointMarks.pauseMs / STILL_PART, pointMarks.captureMs / BUSY_PART)
}

/** Whether no use of the workspace has ended since the last look. */
const isSeen = ({ pointMarks: marks, uses }: Pick<Entry, "pointMarks" | "uses">, ended: number) =>
  marks.usedMs === uses.lastMs && marks.ended === ended

/**
 * Whether a workspace may have changed since the last look, and another one is allowed. Notes the look if so. A step that waits for the point also
 * counts what programs may have written without a use: those that ran at the last look, and those of operations beside the step's own.
 */
const isDue = (entry: Entry, { isAwaited }: { readonly isAwaited: boolean }) =>
  Effect.gen(function*() {
    const { pointMarks: marks, uses } = entry
    const residents = yield* openResidentsOf(entry)
    if (Option.isNone(residents)) return false
    const { endedCount: ended } = residents.value.commands.journal
    const isUnused = isSeen(entry, ended)
    if (isUnused && !(isAwaited && (marks.hasPrograms || uses.count > 1))) return false
    const generation = yield* Ref.get(entry.generation)
    const { state } = yield* Ref.get(entry.state)
    if (!hasPoints(yield* Ref.get(entry.record)) || Option.isNone(generation) || state !== "running") {
      // The next use makes another look due.
      Object.assign(marks, { usedMs: uses.lastMs, ended })
      return false
    }
    const { vm } = generation.value.guest
    if ((yield* vm.health.trouble) !== "none") return false
    if (isAwaited && !(yield* isQuick(entry, vm, residents.value.commands.journal, { isUnused }))) return false
    if (!takeLook(marks, yield* monotonicMs, everyMs(entry))) return false
    Object.assign(marks, { usedMs: uses.lastMs, ended })
    return { isUnused }
  })

/** A point that cannot be made costs a way back, and nothing else. */
const orLog = (entry: Entry) => <R>(work: Effect.Effect<unknown, { readonly message: string }, R>) =>
  Effect.asVoid(
    Effect.catch(work, (failure) => Effect.logDebug(`${entry.id}: no point is made: ${failure.message}`))
  )

/** A workspace in a lifecycle step, or in a push, is looked at the next time. */
const unlessBusy = (entry: Entry) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.map(
    entry.lifecycleLock.withPermitsIfAvailable(1)(entry.pushLock.withPermitsIfAvailable(1)(work)),
    (done) => Option.isNone(Option.flatten(done)) ? lookAgain(entry) : undefined
  )

/** A point of a workspace that is still there and runs: the step that had it may have ended it. */
const pointIfThere = ({ registry }: Lifecycle, entry: Entry, due: { readonly isUnused: boolean }) =>
  Effect.flatMap(Ref.get(entry.state), ({ state }) =>
    registry.entries.get(entry.id) === entry && state === "running"
      ? Effect.asVoid(takePoint(entry, { flushLimit: BEFORE_COMMAND, ...due }))
      : Effect.void)

/**
 * Makes a point before a command starts, if one is due that the idle time before did not bring, behind the one that is being made: a command that
 * starts meanwhile would be a part of it. Takes a few ms, as a rule; a point with memory that may take longer is left to the idle time. Waits a moment
 * for a lifecycle step or a push that has the workspace. Without a use and without programs since the last look it costs nothing.
 */
export const pointBeforeCommand = (
  lifecycle: Lifecycle,
  entry: Entry
): Effect.Effect<void, never, LifecycleServices> =>
  Effect.gen(function*() {
    const { taking } = entry.pointMarks
    if (taking !== undefined) {
      const taken = yield* Effect.timeoutOption(Deferred.await(taking), BEFORE_COMMAND)
      // Another command may have begun the next one.
      if (Option.isNone(taken) || entry.pointMarks.taking !== undefined) return
    }
    const due = yield* isDue(entry, { isAwaited: true })
    if (due === false) return
    yield* pointIfThere(lifecycle, entry, due).pipe(
      onceFree([entry.lifecycleLock, entry.pushLock], BEFORE_COMMAND),
      Effect.map((done) => Option.isNone(done) ? lookAgain(entry) : undefined),
      whileTaking(entry),
      orLog(entry)
    )
  })

/** Whether a workspace may be due for a look: it is not in use, and was used since the last one. Costs next to nothing: most workspaces are idle. */
const mayBeDue = ({ pointMarks: { ended, usedMs }, uses: { count, lastMs } }: Entry) =>
  count === 0 && (usedMs !== lastMs || ended < 0)

/** Time between two looks at the workspaces, while one may be due. */
const LOOK_EVERY = "400 millis"

/** Makes points of the workspaces that were used and are idle then, as long as it runs. Without uses it does nothing. */
export const keepMakingPoints = (lifecycle: Lifecycle): Effect.Effect<never, never, LifecycleServices> => {
  const { entries, wasUsed } = lifecycle.registry
  const look = makePoints(lifecycle).pipe(
    Effect.catchCause((cause) => Effect.logWarning("points cannot be made", cause)),
    // No turn of the event loop lies between the look and the close.
    Effect.andThen(Effect.sync(() => [...entries.values()].some(mayBeDue) ? false : wasUsed.closeUnsafe()))
  )
  return Effect.forever(wasUsed.await.pipe(Effect.andThen(Effect.sleep(LOOK_EVERY)), Effect.andThen(look)))
}

/** Makes points of the workspaces that were used and are idle now. */
const makePoints = ({ registry }: Lifecycle): Effect.Effect<void, never, LifecycleServices> =>
  Effect.suspend(() =>
    Effect.forEach(
      [...registry.entries.values()].filter(mayBeDue),
      (entry) =>
        Effect.gen(function*() {
          if ((yield* nowMs) - entry.uses.lastMs < QUIET_MS) return
          if (yield* isDue(entry, { isAwaited: false })) {
            yield* takePoint(entry).pipe(
              whileTaking(entry),
              Effect.andThen(mergeIfTooLong(entry)),
              unlessBusy(entry),
              orLog(entry)
            )
          }
          yield* expectReturn(entry)
        }),
      { concurrency: 4, discard: true }
    )
  )
