import { Effect, Option } from "effect"
import { keepClock } from "../../../lib/vm/model/clock.ts"
import { clockReader } from "../../../system/waits/time.ts"
import type { Entry } from "../../entry/entry.ts"

/** A step of the host's wall clock against its monotonic clock, in ms. Time synchronisation alone moves the two by 0.5 ms a second. */
const STEP_MS = 500
/** A guest that does not answer by then keeps its clock until its next claim. */
const ANSWER = "5 seconds"

/**
 * Makes an Effect that puts the clocks of all running guests right, if the host has slept or its clock was set since the call before. A
 * guest's clock stands still while the host sleeps; programs then refuse certificates that are newer than their clock.
 */
export const makeClockKeeper = (entries: ReadonlyMap<string, Pick<Entry, "generation" | "id">>) =>
  Effect.map(clockReader, ({ monotonicMs, nowMs }) => {
    const difference = () => nowMs() - monotonicMs()
    let before = difference()
    return Effect.suspend(() => {
      const now = difference()
      const step = now - before
      before = now
      return Math.abs(step) < STEP_MS ? Effect.void : Effect.andThen(
        Effect.logInfo(`the host slept or its clock was set: a step of ${Math.round(step)} ms`),
        Effect.forEach([...entries.values()], putRight, { concurrency: 8, discard: true })
      )
    })
  })

const putRight = ({ generation, id }: Pick<Entry, "generation" | "id">) =>
  Effect.flatMap(
    generation.now,
    (running) =>
      Option.isNone(running) ? Effect.void : keepClock(running.value.channel).pipe(
        Effect.timeout(ANSWER),
        Effect.catchCause((cause) => Effect.logWarning(`the clock of ${id} cannot be set`, cause))
      )
  )
