import { Clock, Deferred, Effect, Option, type Scope } from "effect"
import type { ConnectRequest, GuestSocket } from "../../../lib/guest-channel/model/network.ts"
import type { DialRefused } from "../../../lib/network/Dialler.ts"
import { nothingServed } from "../../../lib/network/model/cache-access.ts"
import { type Counts, refusedCertificate, splice, type SpliceEnd } from "../../../lib/network/splice.ts"
import { afterwards } from "../../../system/waits/signal.ts"
import { open, type Opened, openNow, type ToOpen } from "./accept.ts"
import {
  type Connecting,
  type Ended,
  GAVE_UP,
  type Opening,
  openingOf,
  recordEnd,
  refusedAs,
  UNTRUSTED,
  VM_ENDED
} from "./open.ts"

const endedAs = (end: Exclude<SpliceEnd, { readonly _tag: "Stopped" }>, counts: Counts): Ended => {
  if (end._tag !== "Denied" && refusedCertificate(counts)) {
    return { outcome: "failed", reason: UNTRUSTED, remedy: { field: "trust_host_certificates" } }
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

/** Time for the cache to notice the end of a connection. */
const SERVED_TIMEOUT = "2 seconds"

/** Moves bytes until both sides have ended, or the policy or a side has reset the connection. */
const move = (
  guest: GuestSocket,
  { bufferBytes, expectedName, open: { counts, reset }, socket, texts }: Opened
): Effect.Effect<Ended> =>
  Effect.map(
    splice({ guest, socket, counts, expectedName, forbidden: texts, bufferBytes, stop: reset }),
    (end) => end._tag === "Stopped" ? reset.value! : endedAs(end, counts)
  )

/**
 * Serves one request whose connection is being opened, and records its end. The guest's `connect()` succeeds after the host has connected,
 * and fails with ECONNREFUSED otherwise. An interruption resets both sides.
 */
const serve = (opening: Opening, connecting: Connecting, toOpen: ToOpen): Effect.Effect<void> => {
  const { request } = opening
  const moved: Effect.Effect<Ended, DialRefused, Scope.Scope> = Effect.gen(function*() {
    const opened = yield* toOpen
    const guest = yield* Effect.option(opened.guest)
    if (guest._tag === "None") return GAVE_UP
    opening.open = opened.open
    const ended = yield* move(guest.value, opened)
    if (opened.served !== undefined) {
      const served = yield* Effect.timeoutOption(Deferred.await(opened.served), SERVED_TIMEOUT)
      opening.served = Option.getOrElse(served, () => nothingServed)
    }
    return ended
  })
  const record = (ended: Ended) => recordEnd(opening, ended, connecting.record)
  return Effect.withFiber<Ended, DialRefused>((fiber) => {
    request.onWithdrawn(() => afterwards(() => fiber.interruptUnsafe(fiber.id)))
    return Effect.scoped(moved)
  }).pipe(
    Effect.matchEffect({
      // Before the refusal: a command that ends because of the denial finds the entry.
      onFailure: (refusal) => Effect.andThen(record(refusedAs(refusal)), request.refuse),
      onSuccess: record
    }),
    Effect.onInterrupt(() => record(opening.open === undefined ? GAVE_UP : VM_ENDED))
  )
}

/** Serves one request from the judgement to the end of its connection. */
export const connect = (request: ConnectRequest, connecting: Connecting): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (startMs) => {
    const opening = openingOf(request, startMs, connecting.caching)
    return serve(opening, connecting, open(opening, connecting))
  })

/** What a connection needs before it has a fiber. */
export interface WithoutFiber {
  readonly nowMs: () => number
  /** Runs the work for a request, from now on. */
  readonly run: (work: Effect.Effect<void>) => void
  /** Gives up each connection that has no fiber yet. */
  readonly unopened: Set<Effect.Effect<void>>
}

/**
 * The same without a fiber until the host has connected: `connect()` of the host is called in this turn. `false` for a request that has to wait
 * before, or that is not allowed.
 */
export const connectNow = (
  request: ConnectRequest,
  connecting: Connecting,
  { nowMs, run, unopened }: WithoutFiber
): boolean => {
  const opening = openingOf(request, nowMs(), connecting.caching)
  let isSettled = false
  const giveUp = Effect.suspend(() => {
    isSettled = true
    unopened.delete(giveUp)
    stop?.()
    return recordEnd(opening, GAVE_UP, connecting.record)
  })
  const stop = openNow(opening, connecting, (toOpen) => {
    isSettled = true
    unopened.delete(giveUp)
    run(serve(opening, connecting, toOpen))
  })
  if (stop === undefined) return false
  if (isSettled) return true
  unopened.add(giveUp)
  request.onWithdrawn(() => isSettled || run(giveUp))
  return true
}
