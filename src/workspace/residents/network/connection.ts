import { Clock, Deferred, Effect, Option, type Scope } from "effect"
import type { ConnectRequest, GuestSocket } from "../../../guest-channel/network.ts"
import { nothingServed } from "../../../network/cache-access.ts"
import type { DialRefused } from "../../../network/Dialler.ts"
import { type Counts, refusedCertificate, splice, type SpliceEnd } from "../../../network/splice.ts"
import { afterwards } from "../../../system/waits/afterwards.ts"
import { type Attempt, attemptAt, type Ended, recordEnd, UNTRUSTED } from "./attempt.ts"
import type { Begun } from "./begin.ts"
import type { Connecting } from "./connecting.ts"
import { type Beginning, dialAndBegin, dialAndBeginNow } from "./dial.ts"

const endedAs = (end: Exclude<SpliceEnd, { readonly _tag: "Stopped" }>, counts: Counts): Ended => {
  if (end._tag !== "Denied" && refusedCertificate(counts)) {
    return { outcome: "failed", reason: UNTRUSTED, option: "--trust-host-certificates" }
  }
  switch (end._tag) {
    case "Closed":
      return { outcome: "allowed" }
    case "ResetByGuest":
      return { outcome: "allowed", reason: "the guest reset the connection" }
    case "ResetByHost":
      return { outcome: "allowed", reason: `the other side reset the connection: ${end.detail}` }
    case "Denied":
      return { outcome: "denied", reason: end.detail }
  }
}

const refusedAs = ({ detail, option, reason }: DialRefused): Ended => ({
  outcome: reason === "denied" ? "denied" : "failed",
  reason: detail,
  ...(option === undefined ? {} : { option })
})

const GAVE_UP: Ended = { outcome: "failed", reason: "the guest gave up before the connection was made" }
const VM_ENDED: Ended = { outcome: "allowed", reason: "the microVM ended" }

/** Time for the cache to notice the end of a connection. */
const SERVED_TIMEOUT = "2 seconds"

/** Moves bytes until both sides have ended, or the policy or a side has reset the connection. */
const move = (
  guest: GuestSocket,
  { bufferBytes, expectedName, one, socket, texts }: Begun
): Effect.Effect<Ended> =>
  Effect.map(
    splice({ guest, socket, counts: one.counts, expectedName, forbidden: texts, bufferBytes, stop: one.reset }),
    (end) => end._tag === "Stopped" ? one.reset.value! : endedAs(end, one.counts)
  )

/**
 * Answers one request that is being dialled: accepted, moved, recorded. The guest's `connect()` succeeds after the host has connected, and
 * fails with ECONNREFUSED otherwise. An interruption resets both sides.
 */
const answer = (attempt: Attempt, connecting: Connecting, beginning: Beginning): Effect.Effect<void> => {
  const { request } = attempt
  const served: Effect.Effect<Ended, DialRefused, Scope.Scope> = Effect.gen(function*() {
    const begun = yield* beginning
    const guest = yield* Effect.option(begun.guest)
    if (guest._tag === "None") return GAVE_UP
    attempt.made = begun.one
    const ended = yield* move(guest.value, begun)
    if (begun.served !== undefined) {
      const served = yield* Effect.timeoutOption(Deferred.await(begun.served), SERVED_TIMEOUT)
      attempt.served = Option.getOrElse(served, () => nothingServed)
    }
    return ended
  })
  const record = (ended: Ended) => recordEnd(attempt, ended, connecting.record)
  return Effect.withFiber<Ended, DialRefused>((fiber) => {
    request.onWithdrawn(() => afterwards(() => fiber.interruptUnsafe(fiber.id)))
    return Effect.scoped(served)
  }).pipe(
    Effect.matchEffect({
      // Before the refusal: a command that ends because of the denial finds the entry.
      onFailure: (refusal) => Effect.andThen(record(refusedAs(refusal)), request.refuse),
      onSuccess: record
    }),
    Effect.onInterrupt(() => record(attempt.made === undefined ? GAVE_UP : VM_ENDED))
  )
}

/** Answers one request: judged, dialled, accepted, moved, recorded. */
export const connect = (request: ConnectRequest, connecting: Connecting): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (startMs) => {
    const attempt = attemptAt(startMs, request, connecting.caching)
    return answer(attempt, connecting, dialAndBegin(attempt, connecting))
  })

/** Where connections begin without a fiber. */
export interface Begin {
  readonly nowMs: () => number
  /** Runs the work for a request, from now on. */
  readonly run: (work: Effect.Effect<void>) => void
  /** What gives up each connection that has no fiber yet. */
  readonly unmade: Set<Effect.Effect<void>>
}

/**
 * The same without a fiber until the host has connected: `connect()` of the host is called in this turn. `false` for a request that has to wait
 * before, or that is not allowed.
 */
export const connectNow = (
  request: ConnectRequest,
  connecting: Connecting,
  { nowMs, run, unmade }: Begin
): boolean => {
  const attempt = attemptAt(nowMs(), request, connecting.caching)
  let isSettled = false
  const giveUp = Effect.suspend(() => {
    isSettled = true
    unmade.delete(giveUp)
    stop?.()
    return recordEnd(attempt, GAVE_UP, connecting.record)
  })
  const stop = dialAndBeginNow(attempt, connecting, (beginning) => {
    isSettled = true
    unmade.delete(giveUp)
    run(answer(attempt, connecting, beginning))
  })
  if (stop === undefined) return false
  if (isSettled) return true
  unmade.add(giveUp)
  request.onWithdrawn(() => isSettled || run(giveUp))
  return true
}
