import { Effect } from "effect"
import { BUCKET_REFILL_MS, makeBucket } from "../../../system/waits/bucket.ts"
import { monotonicMs } from "../../../system/waits/time.ts"

/** A token bucket that can be waited for. */
export const makeWaitedBucket = (atOnce: number, perSecond: number) => {
  /** Takes a token if there is one. */
  const take = Effect.map(monotonicMs, makeBucket(atOnce, perSecond))
  /** Waits for a token, and takes it. */
  const wait: Effect.Effect<void> = Effect.flatMap(
    take,
    (taken) => taken ? Effect.void : Effect.andThen(Effect.sleep(BUCKET_REFILL_MS), wait)
  )
  return { take, wait }
}
