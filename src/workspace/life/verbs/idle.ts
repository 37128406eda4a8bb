import { Cause, Effect, Option } from "effect"
import { type Absences, monotonicMs, nowMs } from "../../../system/waits/time.ts"
import { lastActivity } from "../../entry/activity.ts"
import type { Lifecycle } from "../../entry/context.ts"
import type { Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { sleptThrough } from "../../entry/uses.ts"
import { isBusy } from "../../residents/open/entry-residents.ts"
import type { TransitionServices } from "../engine/description.ts"
import type { GuestServices } from "../guest/generation.ts"
import { pause } from "./pause.ts"

/** Delay before the next attempt after a failed pause, in ms. Each further failure doubles it. */
const FIRST_RETRY_MS = 60_000
const LAST_RETRY_MS = 3_600_000

/** A pause that failed. */
interface Failed {
  readonly detail: string
  readonly delayMs: number
  /** Monotonic time of the next attempt, in ms. */
  readonly againAtMs: number
}

const isInUse = (entry: Entry) => Effect.suspend(() => entry.uses.count > 0 ? Effect.succeed(true) : isBusy(entry))

/** The workspaces that are paused after a time without a use. Costs nothing for the other workspaces. */
const pausable = ({ registry }: Lifecycle) =>
  [...registry.entries.values()].filter(({ record }) => record.get().pauseAfterSeconds !== undefined)

/** A running workspace that is paused after a time without a use. Undefined for any other. */
const waiting = (entry: Entry) =>
  Effect.gen(function*() {
    const { state } = yield* entry.state.now
    const record = yield* entry.record.now
    const { pauseAfterSeconds } = record
    return state !== "running" || pauseAfterSeconds === undefined ? undefined : { record, pauseAfterSeconds }
  })

/**
 * Shows a running workspace as paused, if no operation uses it. Nothing comes between the look and the change. An operation that uses the workspace
 * from then on waits for the lifecycle lock, and resumes the workspace.
 */
const fallAsleep = (entry: Entry): Effect.Effect<boolean> =>
  entry.state.replace("running", "paused", () => entry.uses.count === 0)

/** The workspace runs on if it has not been paused. A VM that ended meanwhile has set another state. */
const wakeUp = (entry: Entry) =>
  Effect.flatMap(
    entry.generation.now,
    (generation) =>
      Option.isNone(generation)
        ? Effect.void
        : Effect.asVoid(entry.state.replace("paused", "running"))
  )

/** Pauses a workspace that nothing uses. False if something does. The caller holds the workspace alone. */
const pauseUnused = (lifecycle: Lifecycle, entry: Entry, unusedSeconds: number) =>
  Effect.gen(function*() {
    if (!(yield* fallAsleep(entry))) return false
    // Commands, shells and connections of before. The next ones wait.
    return (yield* isBusy(entry)) ? false : yield* pause(lifecycle, entry, unusedSeconds)
  }).pipe(Effect.ensuring(wakeUp(entry)))

/** The time without a use, in ms. */
const unusedMs = (entry: Entry, record: Parameters<typeof lastActivity>[1]) =>
  Effect.map(nowMs, (now) => now - Math.max(lastActivity(entry.folder, record).getTime(), entry.uses.lastMs))

/** Notes a use of each workspace that is in use now. A time without a use begins at the end of a command, a connection or an attachment. */
export const noteUses = (lifecycle: Lifecycle): Effect.Effect<void> =>
  Effect.forEach(pausable(lifecycle), (entry) =>
    Effect.gen(function*() {
      if ((yield* waiting(entry)) !== undefined && (yield* isInUse(entry))) yield* entry.uses.note
    }), { discard: true })

/**
 * Pauses the workspaces that nothing has used for their time, one after the other. A workspace in a lifecycle step is looked at the next time.
 * A failure changes nothing, stands in the events, and is tried again later. Callers repeat it.
 */
export const makeIdlePauses = (
  lifecycle: Lifecycle,
  absences: Absences
): Effect.Effect<void, never, GuestServices | TransitionServices> => {
  const failures = new WeakMap<Entry, Failed>()
  const failed = (entry: Entry, detail: string) =>
    Effect.gen(function*() {
      const before = failures.get(entry)
      const delayMs = before === undefined ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, before.delayMs * 2)
      failures.set(entry, { detail, delayMs, againAtMs: (yield* monotonicMs) + delayMs })
      if (before?.detail !== detail) yield* recordEvent(entry.folder.directory, { _tag: "pause_failed", detail })
    })
  const one = (entry: Entry) =>
    Effect.gen(function*() {
      const found = yield* waiting(entry)
      if (found === undefined || !lifecycle.registry.entries.has(entry.id)) return
      const { pauseAfterSeconds, record } = found
      if ((failures.get(entry)?.againAtMs ?? 0) > (yield* monotonicMs)) return
      if ((yield* isInUse(entry)) || (yield* unusedMs(entry, record)) < pauseAfterSeconds * 1000) return
      if (!(yield* pauseUnused(lifecycle, entry, pauseAfterSeconds))) return
      failures.delete(entry)
      const called = record.name === undefined ? "" : ` (${record.name})`
      yield* Effect.logInfo(`${entry.id}${called} is paused: it was not used for ${pauseAfterSeconds} s`)
    }).pipe(
      entry.lifecycleLock.holdIfFree,
      Effect.asVoid,
      Effect.catch((failure) => failed(entry, failure.fact)),
      Effect.catchDefect((defect) =>
        Effect.andThen(
          Effect.logError(`${entry.id} cannot be paused`, Cause.die(defect)),
          failed(entry, String(defect))
        )
      )
    )
  /** The time without a use begins anew after an absence of this process that was a large part of the time. */
  const beginAnew = Effect.flatMap(
    absences.since(),
    (absentMs) =>
      Effect.forEach(pausable(lifecycle), (entry) =>
        Effect.gen(function*() {
          const found = yield* waiting(entry)
          if (found !== undefined && sleptThrough(absentMs, found.pauseAfterSeconds)) yield* entry.uses.note
        }), { discard: true })
  )
  return Effect.andThen(beginAnew, Effect.suspend(() => Effect.forEach(pausable(lifecycle), one, { discard: true })))
}
