import { Effect } from "effect"
import { setTimeout } from "node:timers/promises"
import { deadlineScale } from "../../src/system/settings/deadline-scale.ts"

/** Longest wait for a condition: whatever comes at all comes long before, also on a loaded host. */
const LIMIT_MS = 30_000 * deadlineScale

const BETWEEN_MS = 2

/** Waits until a condition is true, and fails if it does not come true. Not for a test clock, which stands still meanwhile. */
export const untilTrue = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + LIMIT_MS
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${LIMIT_MS} ms in vain for ${condition.toString()}`)
    await setTimeout(BETWEEN_MS)
  }
}

/** The same as an Effect. */
export const until = (condition: () => boolean): Effect.Effect<void> => Effect.promise(() => untilTrue(condition))

/**
 * Lets real time pass. For a test of time itself: that nothing happens in it, that it is counted, or that something comes late. What comes at
 * some time has a condition: `until`.
 */
export const lapsed = (ms: number): Promise<void> => setTimeout(ms)

/** The same as an Effect, on the clock of the host also in a test with a clock of its own. */
export const lapse = (ms: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = globalThis.setTimeout(() => resume(Effect.void), ms)
    return Effect.sync(() => clearTimeout(timer))
  })
