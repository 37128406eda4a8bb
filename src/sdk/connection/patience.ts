import { Effect } from "effect"
import { clockReader } from "../../system/waits/time.ts"

/** Time without a connection after which a client gives up, in ms: a server or a gateway that restarts is away for seconds. */
export const PATIENCE_MS = 30_000

/** Pause before the second attempt, in ms. Each further pause is twice as long, up to the longest one. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

/** A budget of time for attempts that fail one after the other. Progress renews it. */
export interface Patience {
  /** An attempt has brought something. */
  readonly renew: () => void
  /** Waits before the next attempt: not at all before the first one. False when the budget is used up. */
  readonly wait: Effect.Effect<boolean>
}

export const makePatience = (patienceMs: number): Effect.Effect<Patience> =>
  Effect.map(clockReader, ({ monotonicMs }) => {
    let untilMs: number | undefined
    let attempts = 0
    return {
      renew: () => {
        untilMs = undefined
        attempts = 0
      },
      wait: Effect.suspend(() => {
        const now = monotonicMs()
        untilMs ??= now + patienceMs
        if (now >= untilMs) return Effect.succeed(false)
        const pauseMs = attempts === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1))
        attempts++
        return Effect.delay(Effect.succeed(true), Math.min(pauseMs, untilMs - now))
      })
    }
  })
