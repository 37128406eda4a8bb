import { Effect, Schedule } from "effect"
import { isAlive, type ProcessIdentity } from "./identity.ts"

/** A process frees its memory before it is gone, which takes a while: the checks get less frequent. */
export const untilGone = Schedule.min([Schedule.exponential("1 millis"), Schedule.spaced("16 millis")])

/** Kills this process and waits until it is gone. `meanwhile` runs at once after the signal, which nothing can take back. */
export const killIdentity = (
  identity: ProcessIdentity,
  meanwhile: Effect.Effect<void> = Effect.void
): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (!isAlive(identity)) return Effect.void
    try {
      process.kill(identity.pid, "SIGKILL")
    } catch { /* gone already */ }
    return Effect.andThen(
      meanwhile,
      Effect.sync(() => isAlive(identity)).pipe(Effect.repeat({ while: (alive) => alive, schedule: untilGone }))
    ).pipe(Effect.asVoid)
  })
