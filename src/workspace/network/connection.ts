import { Clock, Deferred, Effect, type Scope } from "effect"
import type { ConnectRequest } from "../../guest-channel/network.ts"
import type { GuestSocket } from "../../guest-channel/socket.ts"
import { type DiallerService, DialRefused } from "../../network/dial/Dialler.ts"
import type { ForbiddenText } from "../../network/forbidden-text.ts"
import type { ForeignSecret } from "../../network/intercept/interception.ts"
import type { Rules } from "../../network/policy/policy.ts"
import { splice, type SpliceEnd } from "../../network/splice.ts"
import { acquirePlain } from "../../system/scopes.ts"
import type { HeaderSecrets } from "../header-secret/header-secrets.ts"
import { forbiddenBy, type LiveConnection, makeLive } from "./live.ts"
import type { NewRecord } from "./log.ts"

/** What the connections of one guest share. */
export interface Connecting {
  readonly dialler: DiallerService
  /** Name of the guest for the fairness of the dialler. */
  readonly group: string
  /** The rules in force now. */
  readonly rules: () => Rules
  readonly live: Set<LiveConnection>
  readonly record: (record: NewRecord) => Effect.Effect<void>
  /** Waits until the host may judge the next request of the guest. */
  readonly pace: Effect.Effect<void>
  /** How connections to a host get secrets. */
  readonly interceptionOf: HeaderSecrets["interceptionOf"]
  readonly placeholders: HeaderSecrets["placeholders"]
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

const endedAs = (end: SpliceEnd): Ended => {
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

/** Connects on the host. The connection is in `live` until the Scope closes. */
const dial = (
  { address: literal, name, port }: ConnectRequest,
  { dialler, group, interceptionOf, live, placeholders, rules }: Connecting,
  at: string,
  onDenied: (detail: string) => void
) =>
  Effect.gen(function*() {
    if (live.size >= MAX_LIVE) return yield* tooMany
    const judgedBy = rules()
    const found = name === undefined ? undefined : yield* Effect.mapError(interceptionOf(name, port), unreadable)
    const interception = found === undefined ? undefined : { ...found, onDenied }
    const dialled = yield* dialler.dial({ name, address: literal, port, rules: judgedBy, group, interception })
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
      ? { one, socket, texts, bufferBytes }
      : yield* new DialRefused({ reason: "denied", detail: forbidden.reason, option: forbidden.option })
  })

/** Moves bytes until both sides have ended, or the policy or a side has reset the connection. */
const move = (
  guest: GuestSocket,
  { bufferBytes, one, socket, texts }: Effect.Effect.Success<ReturnType<typeof dial>>
): Effect.Effect<Ended> => {
  const expectedName = one.isInspected ? one.name : undefined
  return splice({ guest, socket, counts: one.counts, expectedName, forbidden: texts, bufferBytes }).pipe(
    // The last bytes are on their way in the guest.
    Effect.tap(({ _tag }) => _tag === "Closed" ? Effect.ignore(guest.closed) : Effect.void),
    Effect.map(endedAs),
    Effect.raceFirst<Ended, never, never>(Deferred.await(one.isReset))
  )
}

/**
 * Answers one request: judged, dialled, accepted, moved, recorded. The guest's `connect()` succeeds after the host has connected, and fails with
 * ECONNREFUSED otherwise. An interruption resets both sides.
 */
export const connect = (request: ConnectRequest, connecting: Connecting): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { address: literal, name, port } = request
    const startMs = yield* Clock.currentTimeMillis
    const at = new Date(startMs).toISOString()
    let made: LiveConnection | undefined
    let denial: string | undefined
    const record = (ended: Ended) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        connecting.record({
          at,
          kind: "connection",
          host: name ?? literal,
          port,
          ...(made === undefined ? {} : { address: made.address }),
          ...(denial === undefined ? ended : { outcome: "denied" as const, reason: denial }),
          bytesOut: made?.counts.sentBytes ?? 0,
          bytesIn: made?.counts.receivedBytes ?? 0,
          durationMs: nowMs - startMs
        }))
    const served: Effect.Effect<Ended, DialRefused, Scope.Scope> = Effect.gen(function*() {
      const dialled = yield* dial(request, connecting, at, (detail) => (denial ??= detail))
      const guest = yield* Effect.option(request.accept)
      if (guest._tag === "None") return GAVE_UP
      made = dialled.one
      return yield* move(guest.value, dialled)
    })
    yield* Effect.scoped(served).pipe(
      Effect.raceFirst(Effect.as(request.withdrawn, GAVE_UP)),
      Effect.matchEffect({
        // Before the refusal: a command that ends because of the denial finds the entry.
        onFailure: (refusal) => Effect.zipRight(record(refusedAs(refusal)), request.refuse),
        onSuccess: record
      }),
      Effect.onInterrupt(() => record(made === undefined ? GAVE_UP : VM_ENDED))
    )
  })
