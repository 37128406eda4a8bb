import { Deferred, Effect, Option } from "effect"
import type { VmPoints } from "../../../lib/vm/model/Vm.ts"
import { settingNow } from "../../../system/settings/config.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { onceFree } from "../../../system/waits/once-free.ts"
import { monotonicMs, nowMs } from "../../../system/waits/time.ts"
import type { Lifecycle } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import { openResidentsOf } from "../../residents/open/entry-residents.ts"
import type { GuestServices } from "../guest/generation.ts"
import type { CaptureServices } from "../snapshot/capture.ts"
import { mergeIfTooLong } from "../snapshot/flatten.ts"
import { commandsAtReturn, expectReturn } from "./expect.ts"
import { isSeen, lookAgain, mayBeDue, mayHavePrograms, noteLook, noteSeen } from "./last-look.ts"
import { costOf, type PointCost } from "./memory.ts"
import { takePoint } from "./take.ts"

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

/** Candidates of a try and builders of images are never rewound, so their commands wait for no point. */
export const hasPoints = ({ result, tryOf }: Partial<Pick<WorkspaceRecord, "result" | "tryOf">>): boolean =>
  tryOf === undefined && result === undefined && settingNow("PYRO_REWIND_MIB") > 0

/**
 * Whether a point takes so little time that a command waits for it: a point of the disk, or one with little memory. The first one with memory is
 * made while the guest is idle, or before the second command. So is the first one after a return to a point: that point is the state before the command,
 * unless a program has run since (`isUnused`).
 */
export const isQuick = (
  { captureMs, returnedAt }: Pick<PointCost, "captureMs"> & { readonly returnedAt: number | undefined },
  { points }: { readonly points?: Pick<VmPoints, "pendingBytes"> | undefined },
  { steps }: { readonly steps: ReadonlyArray<unknown> },
  { isUnused = false }: { readonly isUnused?: boolean } = {}
): Effect.Effect<boolean> =>
  points === undefined
    ? Effect.succeed(true)
    : captureMs > MAX_CAPTURE_MS || ([0, returnedAt].includes(steps.length) && !(isUnused && captureMs > 0))
    ? Effect.succeed(false)
    : Effect.map(points.pendingBytes, (bytes) => bytes <= MAX_PENDING_BYTES)

/** Time between two points of a workspace, after the first ones. */
export const everyMs = ({ captureMs, pauseMs }: PointCost): number => {
  const set = settingNow("PYRO_REWIND_EVERY_MS")
  return set === 0 ? 0 : Math.max(set, pauseMs / STILL_PART, captureMs / BUSY_PART)
}

/**
 * Whether a workspace may have changed since the last look, and another one is allowed. Notes the look if so. A step that waits for the point also
 * counts what programs may have written without a use: those that ran at the last look, and those of operations beside the step's own.
 */
const isDue = (entry: Entry, { isAwaited }: { readonly isAwaited: boolean }) =>
  Effect.gen(function*() {
    const residents = yield* openResidentsOf(entry)
    if (Option.isNone(residents)) return false
    const { endedCount: ended } = residents.value.commands.journal
    const isUnused = isSeen(entry, ended)
    if (isUnused && !(isAwaited && (mayHavePrograms(entry) || entry.uses.count > 1))) return false
    const generation = yield* entry.generation.now
    const { state } = yield* entry.state.now
    if (!hasPoints(yield* entry.record.now) || Option.isNone(generation) || state !== "running") {
      // The next use makes another look due.
      noteSeen(entry, ended)
      return false
    }
    const { vm } = generation.value.guest
    if ((yield* vm.health.trouble) !== "none") return false
    const cost = costOf(entry)
    const before = { ...cost, returnedAt: commandsAtReturn(entry) }
    if (isAwaited && !(yield* isQuick(before, vm, residents.value.commands.journal, { isUnused }))) return false
    return noteLook(entry, ended, yield* monotonicMs, everyMs(cost)) ? { isUnused } : false
  })

/** A failure to make a point loses this point, and nothing else. */
const orLog = (entry: Entry) => <R>(work: Effect.Effect<unknown, { readonly message: string }, R>) =>
  Effect.asVoid(
    Effect.catch(work, (failure) => Effect.logDebug(`${entry.id}: no point is made: ${failure.message}`))
  )

/** A workspace in a lifecycle step, or in a push, is looked at the next time. */
const unlessBusy = (entry: Entry) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.map(
    entry.lifecycleLock.holdIfFree(entry.pushLock.holdIfFree(work)),
    (done) => Option.isNone(Option.flatten(done)) ? lookAgain(entry) : undefined
  )

/** A point of a workspace that is still there and runs: the step that had it may have ended it. */
const pointIfThere = ({ registry }: Lifecycle, entry: Entry, due: { readonly isUnused: boolean }) =>
  Effect.flatMap(entry.state.now, ({ state }) =>
    registry.entries.get(entry.id) === entry && state === "running"
      ? Effect.asVoid(takePoint(entry, { flushLimit: BEFORE_COMMAND, ...due }))
      : Effect.void)

/** Ends with the point that is being made of a workspace. */
const taking = new WeakMap<Entry, Deferred.Deferred<void>>()

/** Makes a point while commands that are about to start wait for it. */
const whileTaking = (entry: Entry) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const made = Deferred.makeUnsafe<void>()
    taking.set(entry, made)
    return Effect.ensuring(
      work,
      Effect.sync(() => {
        taking.delete(entry)
        Deferred.doneUnsafe(made, Effect.void)
      })
    )
  })

/**
 * Makes a point before a command starts, if one is due. First waits for a point that is being made: a command that starts meanwhile would be part of
 * that point. Takes a few ms as a rule. A point with memory that may take longer is made while the guest is idle. Waits a moment for a lifecycle step
 * or a push that has the workspace. Costs nothing without a use and without programs since the last look.
 */
export const pointBeforeCommand = (
  lifecycle: Lifecycle,
  entry: Entry
): Effect.Effect<void, never, CaptureServices> =>
  Effect.gen(function*() {
    const made = taking.get(entry)
    if (made !== undefined) {
      const taken = yield* Effect.timeoutOption(Deferred.await(made), BEFORE_COMMAND)
      // Another command may have begun the next one.
      if (Option.isNone(taken) || taking.has(entry)) return
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

/** Time between two looks at the workspaces, while one may be due. */
const LOOK_EVERY = "400 millis"

/** Makes points of the workspaces that were used and are idle then, as long as it runs. Without uses it does nothing. */
export const keepMakingPoints = (lifecycle: Lifecycle): Effect.Effect<never, never, GuestServices> => {
  const { entries, wasUsed } = lifecycle.registry
  const look = makePoints(lifecycle).pipe(
    Effect.catchCause((cause) => Effect.logWarning("points cannot be made", cause)),
    // No turn of the event loop lies between the look and the close.
    Effect.andThen(Effect.sync(() => [...entries.values()].some(mayBeDue) ? false : wasUsed.closeUnsafe()))
  )
  return Effect.forever(wasUsed.await.pipe(Effect.andThen(Effect.sleep(LOOK_EVERY)), Effect.andThen(look)))
}

/** Makes points of the workspaces that were used and are idle now. */
const makePoints = ({ registry }: Lifecycle): Effect.Effect<void, never, GuestServices> =>
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
