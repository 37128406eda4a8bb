import { Effect } from "effect"
import { BUCKET_REFILL_MS, makeBucket } from "../../../system/waits/bucket.ts"
import { monotonicMs, nowIso } from "../../../system/waits/time.ts"
import type { NewRecord } from "./log.ts"

/** Requests of one guest that the host judges at once: a client that opens hundreds of connections waits for nothing. */
const REQUESTS_AT_ONCE = 1_000
/** Requests per second that the host judges after these. */
const REQUESTS_PER_SECOND = 500
/** Datagrams of one guest per second, and at once: 240 Mbit/s of usual ones. Each costs the daemon some microseconds. */
const DATAGRAMS_PER_SECOND = 20_000
/** Handshakes of QUIC that are read per second, and at once. A client sends a few packets of them for a connection. */
const HANDSHAKES_PER_SECOND = 250
const HANDSHAKES_AT_ONCE = 500
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
  /** Whether one more datagram may go out. Without a wait: others are lost, as where a network is too slow. */
  readonly isDatagramNow: (atMs: number) => boolean
  /** Whether one more packet with a handshake of QUIC may be read. */
  readonly isHandshakeNow: (atMs: number) => boolean
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
  return {
    isNow,
    wait,
    isDatagramNow: makeBucket(DATAGRAMS_PER_SECOND, DATAGRAMS_PER_SECOND),
    isHandshakeNow: makeBucket(HANDSHAKES_AT_ONCE, HANDSHAKES_PER_SECOND)
  }
}
