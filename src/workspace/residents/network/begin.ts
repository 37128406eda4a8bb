import { type Deferred, Effect, Result } from "effect"
import type { Socket } from "node:net"
import type { GuestSocket } from "../../../guest-channel/network.ts"
import type { Served } from "../../../network/cache-access.ts"
import { type Dialled, DialRefused, type HostInterception } from "../../../network/Dialler.ts"
import { THIS_HOST } from "../../../network/name.ts"
import type { Rules } from "../../../network/policy.ts"
import type { ForbiddenText } from "../../../network/splice.ts"
import type { Attempt } from "./attempt.ts"
import type { Connecting } from "./connecting.ts"
import { forbiddenBy, type LiveConnection, makeLive } from "./live.ts"

/** Maximum connections of one guest at a time: the agent has no more streams. */
const MAX_LIVE = 2_048

/**
 * Bytes that wait in the daemon each way of a connection, for the first connections of a guest and for the others: 2,048 connections that
 * nobody reads would take more than a gibibyte.
 */
const LARGE_BUFFER_BYTES = 262_144
const LARGE_BUFFERS = 128
const SMALL_BUFFER_BYTES = 16_384

const tooMany = new DialRefused({
  reason: "failed",
  detail: `the guest has ${MAX_LIVE} connections`,
  option: undefined
})

/** Why a guest gets no further connection; `undefined` while it may. */
export const refusalByNumber = ({ live }: Pick<Connecting, "live">): DialRefused | undefined =>
  live.size < MAX_LIVE ? undefined : tooMany

/** Only an intercepted connection puts values in: elsewhere a placeholder shows a wrong or hostile use of the secret. */
const forbiddenAt = (host: string, placeholders: HostInterception["foreign"]): ReadonlyArray<ForbiddenText> =>
  placeholders.map(({ name, placeholder }) => ({
    text: placeholder,
    detail: `the guest sent the placeholder of the secret ${name} to ${host}, which does not get the secret`
  }))

/** A connection of the host, and what it was dialled for. */
export interface Made {
  readonly dialled: Dialled
  /** Rules that allowed it. */
  readonly judgedBy: Rules
  readonly isIntercepted: boolean
  /** What the package cache tells of a connection that it answers. */
  readonly served: Deferred.Deferred<Served> | undefined
}

/** A connection that both sides have. */
export interface Begun {
  readonly one: LiveConnection
  readonly socket: Socket
  /** Waits until the guest has it; fails if the guest has given up. */
  readonly guest: Effect.Effect<GuestSocket, unknown>
  readonly texts: ReadonlyArray<ForbiddenText>
  readonly bufferBytes: number
  readonly expectedName: string | undefined
  readonly served: Made["served"]
  /** Ends all but the socket. */
  readonly release: () => void
}

/** Takes a connection among the live ones, and tells the guest, in this turn. Whoever has it releases it. */
export const begin = (
  { at, cache, name, port, request }: Attempt,
  { dialled, isIntercepted, judgedBy, served }: Made,
  connecting: Connecting
): Result.Result<Begun, DialRefused> => {
  const { live, placeholders, rules } = connecting
  const literal = request.address
  const isInspected = judgedBy.comparesNames && name !== undefined
  const { address, socket, viaProxy } = dialled
  // Other connections were made meanwhile.
  const refusal = refusalByNumber(connecting)
  if (refusal !== undefined) return Result.fail(refusal)
  const bufferBytes = live.size < LARGE_BUFFERS ? LARGE_BUFFER_BYTES : SMALL_BUFFER_BYTES
  const one = makeLive({ at, name, literal, port, address, viaProxy, isInspected })
  // The policy may have changed meanwhile.
  const forbidden = rules() === judgedBy ? undefined : forbiddenBy(rules(), one)
  if (forbidden !== undefined) {
    return Result.fail(new DialRefused({ reason: "denied", detail: forbidden.reason, option: forbidden.option }))
  }
  const accepted = request.acceptNow()
  live.add(one)
  return Result.succeed({
    one,
    socket,
    guest: Result.isSuccess(accepted) ? accepted.success.socket : Effect.fail(accepted.failure),
    texts: isIntercepted ? [] : forbiddenAt(`${name ?? literal}:${port}`, placeholders()),
    bufferBytes,
    // The cache compares the host of each request itself. A service of this host may want to be called localhost.
    expectedName: isInspected && cache === undefined && name !== THIS_HOST ? name : undefined,
    served,
    release: () => {
      if (Result.isSuccess(accepted)) accepted.success.release()
      live.delete(one)
    }
  })
}
