import { Clock, Effect, FiberSet, type Scope } from "effect"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { NetworkRequest, ResolveRequest } from "../../../lib/guest-channel/model/network.ts"
import type { Denied } from "../../../lib/network/model/judge.ts"
import { atClose } from "../../../system/waits/effects.ts"
import { clockReader } from "../../../system/waits/time.ts"
import { connect, connectNow } from "./connection.ts"
import { serveDatagrams } from "./datagrams.ts"
import type { NewRecord } from "./log.ts"
import type { Connecting } from "./open.ts"

/** Time in which a resolver asks for the other types of a name's records, in ms. */
const SAME_MS = 2_000

/** Port of the cache. */
const HTTP = 80

/** Names of recent denials. Bounded, since a guest chooses the names. */
const MAX_RECENT = 256

/** Whether a denied question only adds a record type to a question of a moment ago, as A and AAAA of one look-up. */
const makeRecent = () => {
  const denied = new Map<string, { readonly type: number; readonly atMs: number }>()
  return ({ name, type }: Pick<ResolveRequest, "name" | "type">, atMs: number): boolean => {
    const before = denied.get(name)
    if (before !== undefined && before.type !== type && atMs - before.atMs < SAME_MS) return true
    denied.delete(name)
    denied.set(name, { type, atMs })
    if (denied.size > MAX_RECENT) denied.delete(denied.keys().next().value!)
    return false
  }
}

/** The entry of a denial, without what was asked for. */
const denialAt = (
  atMs: number,
  { reason, remedy }: Pick<Denied, "reason" | "remedy">
): Omit<NewRecord, "host" | "kind"> => ({
  at: new Date(atMs).toISOString(),
  outcome: "denied",
  reason,
  ...(remedy === undefined ? {} : { remedy }),
  bytesOut: 0,
  bytesIn: 0,
  durationMs: 0
})

/**
 * Answers a look-up until the guest gives it up: the bound of open requests then bounds what waits for resolvers. The log has denials alone: an
 * allowed look-up precedes a connection, which the log has.
 */
export const lookUp = (
  request: ResolveRequest,
  { caching, dialler, group, once, record, rules }: Connecting,
  isRecent: ReturnType<typeof makeRecent>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { type } = request
    // The cache has names of its own, which are allowed as their registries are.
    const name = caching.of(request.name, HTTP)?.registry.host ?? request.name
    const { answer, denied } = yield* dialler.resolve({
      name,
      type,
      rules: once?.forLookUp(rules(), name) ?? rules(),
      group
    })
    const nowMs = yield* Clock.currentTimeMillis
    if (denied !== undefined && !isRecent(request, nowMs)) {
      yield* record({ ...denialAt(nowMs, denied), kind: "lookup", host: name })
    }
    yield* request.answer(answer)
  }).pipe(Effect.raceFirst(request.withdrawn))

/** Answers a request that pyro cannot serve because of a defect. */
const giveUp = (request: NetworkRequest) =>
  request._tag === "Resolve" ? request.answer({ _tag: "ServerFailure" }) : request.refuse

/**
 * Answers the requests of a guest until its channel ends. Each request has its own fiber; a connection gets one when it waits for more than the
 * host's `connect()`. The channel bounds the number of requests, and the pace bounds their rate. The end of the Scope resets all connections.
 */
export const serveRequests = (
  { forEachNetworkRequest }: Pick<GuestChannel, "forEachNetworkRequest">,
  connecting: Connecting
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const isRecent = makeRecent()
    const { pace } = connecting
    const { monotonicMs, nowMs } = yield* clockReader
    const fork = yield* FiberSet.makeRuntime<never>()
    // A fiber starts at once, so the host connects before it continues the work for earlier connections whose frames arrived together.
    const runFor = (request: NetworkRequest) => (work: Effect.Effect<void>) => {
      fork(Effect.catchDefect(work, (defect) => Effect.andThen(Effect.logError(defect), giveUp(request))))
    }
    const unopened = new Set<Effect.Effect<void>>()
    yield* atClose(Effect.suspend(() => Effect.forEach([...unopened], (giveUp) => giveUp, { discard: true })))
    const serve = (request: NetworkRequest) => {
      const run = runFor(request)
      if (request._tag === "Resolve") return run(lookUp(request, connecting, isRecent))
      if (request._tag === "Datagrams") return run(serveDatagrams(request, connecting))
      try {
        if (!connectNow(request, connecting, { nowMs, run, unopened })) run(connect(request, connecting))
      } catch (defect) {
        // A defect is this request's, and not the channel's.
        run(Effect.die(defect))
      }
    }
    yield* forEachNetworkRequest((request) => {
      // The requests behind this one wait as well: the channel bounds their number.
      if (!pace.isNow(monotonicMs())) return Effect.map(pace.wait, () => serve(request))
      serve(request)
      return undefined
    }).pipe(Effect.forkScoped)
  })
