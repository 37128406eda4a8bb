import { Clock, Effect } from "effect"

// The fiber's Clock decides every deadline, time to live and timestamp, so that tests control it. There are two clocks: the wall clock,
// which is recorded and compared with times of files and records, and may step; and the monotonic clock, which measures durations within
// one process.

/** Wall clock, in ms since 1970. */
export const nowMs: Effect.Effect<number> = Clock.currentTimeMillis

/** Wall clock in the format of records. */
export const nowIso: Effect.Effect<string> = Effect.map(nowMs, (ms) => new Date(ms).toISOString())

const msOf = (ns: bigint) => Number(ns) / 1e6

/** Monotonic clock, in ms since a moment that is specific to this process. */
export const monotonicMs: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, msOf)

/** The same clocks for callbacks outside effects. */
export interface ClockReader {
  readonly nowMs: () => number
  readonly monotonicMs: () => number
}

/** Reads the clock of a fiber. */
export const clockReader: Effect.Effect<ClockReader> = Effect.clockWith((clock) =>
  Effect.succeed({
    nowMs: () => clock.currentTimeMillisUnsafe(),
    monotonicMs: () => msOf(clock.monotonicTimeNanosUnsafe())
  })
)

/** Interval of the beats of `makeAbsences`, in ms. */
const BEAT_MS = 1_000

/** The times in which this process could do nothing. */
export interface Absences {
  /** Called every second, before the work of the second. */
  readonly beat: Effect.Effect<void>
  /** Makes an Effect that gives the absence since its call before, in ms. */
  readonly since: () => Effect.Effect<number>
}

/** Measures how late each beat is by the wall clock: the host slept, the process was stopped, or the clock was set forward. */
export const makeAbsences = (): Absences => {
  let beforeMs: number | undefined
  let totalMs = 0
  return {
    beat: Effect.map(nowMs, (now) => {
      totalMs += Math.max(0, now - (beforeMs ?? now) - BEAT_MS)
      beforeMs = now
    }),
    since: () => {
      let seenMs = totalMs
      return Effect.sync(() => {
        const absentMs = totalMs - seenMs
        seenMs = totalMs
        return absentMs
      })
    }
  }
}

/** `Date.now()` has whole ms: a difference up to this counts as equal. */
const AGREE_MS = 2

/** Read at the first use: Node then loads its performance module, which takes a millisecond. */
let originMs: number | undefined

/**
 * Host's wall clock in ns for a guest, finer than a millisecond. The monotonic clock stops during a suspend of the host and does not follow
 * a step of the wall clock, so a difference of the two resets the origin.
 */
export const wallClockNs = (): bigint => {
  const monotonic = performance.now()
  const wall = Date.now()
  originMs ??= performance.timeOrigin
  if (Math.abs(wall - (originMs + monotonic)) > AGREE_MS) originMs = wall - monotonic
  return BigInt(Math.round((originMs + monotonic) * 1000)) * 1000n
}
