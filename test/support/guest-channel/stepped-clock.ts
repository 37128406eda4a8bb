import { Clock, Effect } from "effect"

/** The clock of a test, and a way to set its wall clock forward as a sleep of the host does: the monotonic clock stands still. */
export const steppedClock = Effect.map(Clock.Clock, (own) => {
  let stepMs = 0
  const clock: Clock.Clock = Object.assign(Object.create(own), {
    currentTimeMillisUnsafe: () => own.currentTimeMillisUnsafe() + stepMs,
    currentTimeMillis: Effect.sync(() => own.currentTimeMillisUnsafe() + stepMs)
  })
  return { clock, stepTo: (ms: number) => void (stepMs = ms) }
})
