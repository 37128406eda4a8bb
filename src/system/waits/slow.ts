import { Effect, Schedule } from "effect"

/** Work that is done within this time is not worth a word, in s. */
const QUIET_S = 2

/** Tells every second how long the work has lasted, in s, once it is slow. The caller may show it as a sign of life. */
export const whileSlow = (tell: (seconds: number) => void) => <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    let seconds = QUIET_S - 1
    const ticks = Effect.sync(() => tell(++seconds)).pipe(
      Effect.repeat(Schedule.spaced("1 second")),
      Effect.delay(QUIET_S * 1000),
      Effect.andThen(Effect.never),
      Effect.interruptible
    )
    return Effect.raceFirst(work, ticks)
  })
