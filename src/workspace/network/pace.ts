import { Effect } from "effect"
import { monotonicMs, nowIso } from "../../system/time.ts"
import type { NewRecord } from "./log.ts"

/** Requests of one guest that the host judges at once: a client that opens hundreds of connections waits for nothing. */
const REQUESTS_AT_ONCE = 1_000
/** Requests per second that the host judges after these. */
const REQUESTS_PER_SECOND = 500
/** Time between two looks at an empty bucket, in ms. */
const REFILL_MS = 20
/** Minimum time between two reports of a flood, in ms. */
const REPORT_MS = 60_000

const floodAt = (at: string): NewRecord => ({
  at,
  kind: "flood",
  outcome: "failed",
  host: "*",
  reason: `more than ${REQUESTS_PER_SECOND} requests per second; pyro judges the others later`,
  bytesOut: 0,
  bytesIn: 0,
  durationMs: 0
})

/**
 * A token bucket that bounds how fast the host judges the requests of one guest: the effect waits until the next request may be judged. The
 * protocol bounds the requests that wait. The first one that waits makes an entry, once a minute at most.
 */
export const makePace = (record: (record: NewRecord) => Effect.Effect<void>): Effect.Effect<void> => {
  let tokens = REQUESTS_AT_ONCE
  let filledAtMs: number | undefined
  let reportedAtMs: number | undefined

  const report = (atMs: number) => {
    if (reportedAtMs !== undefined && atMs - reportedAtMs < REPORT_MS) return Effect.void
    reportedAtMs = atMs
    return Effect.flatMap(nowIso, (at) => record(floodAt(at)))
  }
  const next: Effect.Effect<void> = Effect.flatMap(monotonicMs, (atMs) => {
    tokens = Math.min(REQUESTS_AT_ONCE, tokens + (atMs - (filledAtMs ?? atMs)) * REQUESTS_PER_SECOND / 1_000)
    filledAtMs = atMs
    if (tokens < 1) return report(atMs).pipe(Effect.zipRight(Effect.sleep(REFILL_MS)), Effect.zipRight(next))
    tokens -= 1
    return Effect.void
  })
  return next
}
