import { Clock, Effect } from "effect"

// Every deadline, time to live and timestamp is decided by the fiber's Clock, so that tests drive it. Two kinds of time:
// the wall clock, which is recorded and compared with times of files and records, and which may step; the monotonic
// clock, by which durations within one process are measured.

/** Wall clock, in ms since 1970. */
export const nowMs: Effect.Effect<number> = Clock.currentTimeMillis

/** Wall clock as a record has it. */
export const nowIso: Effect.Effect<string> = Effect.map(nowMs, (ms) => new Date(ms).toISOString())

const msOf = (ns: bigint) => Number(ns) / 1e6

/** Monotonic clock, in ms since a moment that only this process knows. */
export const monotonicMs: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, msOf)

/** The same clocks for callbacks that are no effects. */
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

/** `Date.now()` has whole ms: the two clocks agree when they are no further apart. */
const AGREE_MS = 2

/** Taken from Node with the first use: it loads its part of performance then, which takes a millisecond. */
let originMs: number | undefined

/**
 * Host's wall clock in ns, finer than a millisecond, as a guest is told. The monotonic clock does not count the time in which the host
 * slept, and does not follow a step of the wall clock: the origin is taken anew when the two differ.
 */
export const wallClockNs = (): bigint => {
  const monotonic = performance.now()
  const wall = Date.now()
  originMs ??= performance.timeOrigin
  if (Math.abs(wall - (originMs + monotonic)) > AGREE_MS) originMs = wall - monotonic
  return BigInt(Math.round((originMs + monotonic) * 1000)) * 1000n
}
