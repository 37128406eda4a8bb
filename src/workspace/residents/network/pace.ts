import { Effect } from "effect"
import { BUCKET_REFILL_MS, makeBucket } from "../../../system/waits/bucket.ts"
import { monotonicMs, nowIso } from "../../../system/waits/time.ts"
import type { NewRecord } from "./log.ts"

/** Requests of one guest that the host judges at once: a client that opens hundreds of connections waits for nothing. */
const REQUESTS_AT_ONCE = 1_000
/** Requests per second that the host judges after these. */
const REQUESTS_PER_SECOND = 500
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

/** How fast the host judges the requests of one guest. */
export interface Pace {
  /** Takes the turn of the next request, if the host may judge that one now. */
  readonly isNow: (atMs: number) => boolean
  /** Waits for that turn, and takes it. */
  readonly wait: Effect.Effect<void>
}

/** The protocol bounds the requests that wait. The first one that waits makes an entry, once a minute at most. */
export const makePace = (record: (record: NewRecord) => Effect.Effect<void>): Pace => {
  const isNow = makeBucket(REQUESTS_AT_ONCE, REQUESTS_PER_SECOND)
  let reportedAtMs: number | undefined

  const report = (atMs: number) => {
    if (reportedAtMs !== undefined && atMs - reportedAtMs < REPORT_MS) return Effect.void
    reportedAtMs = atMs
    return Effect.flatMap(nowIso, (at) => record(floodAt(at)))
  }
  const wait = Effect.gen(function*() {
    for (let atMs = yield* monotonicMs; !isNow(atMs); atMs = yield* monotonicMs) {
      yield* report(atMs)
      yield* Effect.sleep(BUCKET_REFILL_MS)
    }
  })
  return { isNow, wait }
}
