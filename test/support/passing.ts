import { Effect } from "effect"
import { TestClock } from "effect/testing"

/** Lets seconds pass on the clock of a test, with a beat in each, as a process that is not stopped has them. */
export const passing = (seconds: number, beat: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.forEach(Array.from({ length: seconds }), () => Effect.andThen(TestClock.adjust("1 second"), beat), {
    discard: true
  })
