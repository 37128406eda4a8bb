import { Effect } from "effect"
import { monotonicMs } from "../../../system/waits/time.ts"

/** Time between two looks at an empty bucket, in ms. */
const REFILL_MS = 20

/** A token bucket: so many at once, and so many per second after these. */
export const makeBucket = (atOnce: number, perSecond: number) => {
  let tokens = atOnce
  let filledAtMs: number | undefined
  /** Takes a token if there is one. */
  const take = Effect.map(monotonicMs, (atMs) => {
    tokens = Math.min(atOnce, tokens + (atMs - (filledAtMs ?? atMs)) * perSecond / 1_000)
    filledAtMs = atMs
    if (tokens < 1) return false
    tokens -= 1
    return true
  })
  /** Waits for a token, and takes it. */
  const wait: Effect.Effect<void> = Effect.flatMap(
    take,
    (taken) => taken ? Effect.void : Effect.andThen(Effect.sleep(REFILL_MS), wait)
  )
  return { take, wait }
}
