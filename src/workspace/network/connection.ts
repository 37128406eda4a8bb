import { Clock, Deferred, Effect, FiberId, Option, type Scope } from "effect"
import type { ConnectRequest } from "../../guest-channel/network.ts"
import type { GuestSocket } from "../../guest-channel/socket.ts"
import { type DiallerService, DialRefused } from "../../network/dial/Dialler.ts"
import type { ForbiddenText } from "../../network/forbidden-text.ts"
import type { ForeignSecret } from "../../network/intercept/interception.ts"
import { nothingServed, type Served } from "../../network/package-cache/access.ts"
import type { Rules } from "../../network/policy/policy.ts"
import { splice, type SpliceEnd } from "../../network/splice.ts"
import { acquirePlain } from "../../system/scopes.ts"
import type { HeaderSecrets } from "../header-secret/header-secrets.ts"
import type { PackageCaching } from "../package-cache/package-cache.ts"
import { forbiddenBy, type LiveConnection, makeLive } from "./live.ts"
import type { NewRecord } from "./log.ts"
import type { Pace } from "./pace.ts"

/** What the connections of one guest share. */
export interface Connecting {
  readonly dialler: DiallerService
  /** Name of the guest for the fairness of the dialler. */
  readonly group: string
  /** The rules in force now. */
  readonly rules: () => Rules
  readonly live: Set<LiveConnection>
  readonly record: (record: NewRecord) => Effect.Effect<void>
  readonly pace: Pace
  /** How connections to a host get secrets. */
  readonly interceptionOf: HeaderSecrets["interceptionOf"]
  readonly placeholders: HeaderSecrets["placeholders"]
  readonly caching: PackageCaching
}

/** Maximum connections of one guest at a time: the agent has no more streams. */
const MAX_LIVE = 2_048

/**
 * Bytes that wait in the daemon each way of a connection, for the first connections of a guest and for the others: 2,048 connections that
 * nobody reads would take more than a gibibyte.
 */
const LARGE_BUFFER_BYTES = 262_144
const LARGE_BUFFERS = 128
const SMALL_BUFFER_BYTES = 16_384

type Ended = Pick<NewRecord, "outcome" | "reason" | "option">

const endedAs = (end: Exclude<SpliceEnd, { readonly _tag: "Stopped" }>): Ended => {
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

const tooMany = new DialRefused({
  reason: "failed",
  detail: `the guest has ${MAX_LIVE} connections`,
  option: undefined
})

/** Only an intercepted connection puts values in: elsewhere a placeholder shows a wrong or hostile use of the secret. */
const forbiddenAt = (host: string, placeholders: ReadonlyArray<ForeignSecret>): ReadonlyArray<ForbiddenText> =>
  placeholders.map(({ name, placeholder }) => ({
    text: placeholder,
    detail: `the guest sent the placeholder of the secret ${name} to ${host}, which does not get the secret`
  }))

const unreadable = ({ message }: Error) => new DialRefused({ reason: "failed", detail: message, option: undefined })

/** The host of a connection; for a name of the package cache, the registry behind the name. */
const targetOf = ({ name, port }: ConnectRequest, { caching }: Connecting) => {
  const cached = name === undefined ? undefined : caching.of(name, port)
  return cached === undefined
    ? { name, port, cache: undefined }
    : { name: cached.registry.host, port: cached.registry.port, cache: cached.cache }
}

/** Connects on the host. The connection is in `live` until the Scope closes. */
const dial = (
  { address: literal }: ConnectRequest,
  { cache, name, port }: ReturnType<typeof targetOf>,
  { dialler, group, interceptionOf, live, placeholders, rules }: Connecting,
  at: string,
  onDenied: (detail: string) => void
) =>
  Effect.gen(function*() {
    if (live.size >= MAX_LIVE) return yield* tooMany
    const judgedBy = rules()
    const served = cache === undefined ? undefined : Deferred.unsafeMake<Served>(FiberId.none)
    const onEnd = (got: Served) => served && Deferred.unsafeDone(served, Effect.succeed(got))
    const found = name === undefined ? undefined : yield* Effect.mapError(interceptionOf(name, port), unreadable)
    const interception = found === undefined ? undefined : { ...found, onDenied }
    const dialled = yield* dialler.dial({
      name,
      address: literal,
      port,
      rules: judgedBy,
      group,
      interception,
      cache: cache && { ...cache, onEnd }
    })
    const isInspected = judgedBy.isListed && name !== undefined
    const { address, socket, viaProxy } = dialled
    // Other connections were made meanwhile.
    if (live.size >= MAX_LIVE) return yield* tooMany
    const bufferBytes = live.size < LARGE_BUFFERS ? LARGE_BUFFER_BYTES : SMALL_BUFFER_BYTES
    const one = makeLive({ at, name, literal, port, address, viaProxy, isInspected })
    yield* acquirePlain(Effect.sync(() => live.add(one)), () => live.delete(one))
    // The policy may have changed meanwhile.
    const forbidden = rules() === judgedBy ? undefined : forbiddenBy(rules(), one)
    const texts = interception === undefined ? forbiddenAt(`${name ?? literal}:${port}`, placeholders()) : []
    return forbidden === undefined
      // The cache compares the host of each request itself.
      ? { one, socket, texts, served, bufferBytes, expectedName: isInspected && cache === undefined ? name : undefined }
      : yield* new DialRefused({ reason: "denied", detail: forbidden.reason, option: forbidden.option })
  })

/** Moves bytes until both sides have ended, or the policy or a side has reset the connection. */
const move = (
  guest: GuestSocket,
  { bufferBytes, expectedName, one, socket, texts }: Effect.Effect.Success<ReturnType<typeof dial>>
): Effect.Effect<Ended> =>
  Effect.map(
    splice({ guest, socket, counts: one.counts, expectedName, forbidden: texts, bufferBytes, stop: one.reset }),
    (end) => end._tag === "Stopped" ? one.reset.value! : endedAs(end)
  )

/** Time for the cache to notice the end of a connection. */
const SERVED_TIMEOUT = "2 seconds"

/** What the log says of a connection that the cache has answered. */
const cachedAs = ({ address, cachedBytes, denial, fetchedBytes }: Served): Partial<NewRecord> => ({
  ...(address === undefined ? {} : { address }),
  bytesIn: fetchedBytes + cachedBytes,
  ...(cachedBytes === 0 ? {} : { cachedBytes }),
  ...(denial === undefined ? {} : { outcome: "denied", reason: denial.detail }),
  ...(denial?.option === undefined ? {} : { option: denial.option })
})

/**
 * Answers one request: judged, dialled, accepted, moved, recorded. The guest's `connect()` succeeds after the host has connected, and fails with
 * ECONNREFUSED otherwise. An interruption resets both sides.
 */
export const connect = (request: ConnectRequest, connecting: Connecting): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { address: literal } = request
    const target = targetOf(request, connecting)
    const { name, port } = target
    const startMs = yield* Clock.currentTimeMillis
    const at = new Date(startMs).toISOString()
    let made: LiveConnection | undefined
    let denial: string | undefined
    let cached: Partial<NewRecord> | undefined
    const record = (ended: Ended) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        connecting.record({
          at,
          kind: "connection",
          host: name ?? literal,
          port,
          ...(made === undefined || target.cache !== undefined ? {} : { address: made.address }),
          ...(denial === undefined ? ended : { outcome: "denied" as const, reason: denial }),
          bytesOut: made?.counts.sentBytes ?? 0,
          bytesIn: made?.counts.receivedBytes ?? 0,
          durationMs: nowMs - startMs,
          ...cached
        }))
    const served: Effect.Effect<Ended, DialRefused, Scope.Scope> = Effect.gen(function*() {
      const dialled = yield* dial(request, target, connecting, at, (detail) => (denial ??= detail))
      const guest = yield* Effect.option(request.accept)
      if (guest._tag === "None") return GAVE_UP
      made = dialled.one
      const ended = yield* move(guest.value, dialled)
      if (dialled.served !== undefined) {
        const served = yield* Effect.timeoutOption(Deferred.await(dialled.served), SERVED_TIMEOUT)
        cached = cachedAs(Option.getOrElse(served, () => nothingServed))
      }
      return ended
    })
    yield* Effect.withFiberRuntime<Ended, DialRefused>((fiber) => {
      request.onWithdrawn(() => fiber.unsafeInterruptAsFork(fiber.id()))
      return Effect.scoped(served)
    }).pipe(
      Effect.matchEffect({
        // Before the refusal: a command that ends because of the denial finds the entry.
        onFailure: (refusal) => Effect.zipRight(record(refusedAs(refusal)), request.refuse),
        onSuccess: record
      }),
      Effect.onInterrupt(() => record(made === undefined ? GAVE_UP : VM_ENDED))
    )
  })
