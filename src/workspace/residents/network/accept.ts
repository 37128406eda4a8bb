import { Deferred, Effect, Result, type Scope } from "effect"
import type { Socket } from "node:net"
import type { GuestSocket } from "../../../lib/guest-channel/model/network.ts"
import { type Dialled, DialRefused, type DialRequest, type HostInterception } from "../../../lib/network/Dialler.ts"
import type { Served } from "../../../lib/network/model/cache-access.ts"
import { THIS_HOST } from "../../../lib/network/model/name.ts"
import type { Rules } from "../../../lib/network/model/policy.ts"
import { release } from "../../../lib/network/model/reset.ts"
import { type TakenOnce, withOnce } from "../../../lib/network/once.ts"
import type { ForbiddenText } from "../../../lib/network/splice.ts"
import { acquirePlain } from "../../../system/waits/effects.ts"
import { settleAfterwards } from "../../../system/waits/signal.ts"
import { Signal } from "../../../system/waits/signal.ts"
import { type Connecting, forbiddenBy, type Open, type Opening } from "./open.ts"

/** Maximum connections of one guest at a time: the agent has no more streams. */
const MAX_OPEN = 2_048

/**
 * Bytes that may wait in the daemon for each direction of a connection. The first connections of a guest get large buffers: with them, 2,048
 * connections that nobody reads would take more than a gibibyte.
 */
const LARGE_BUFFER_BYTES = 262_144
const LARGE_BUFFERS = 128
const SMALL_BUFFER_BYTES = 16_384

const tooMany = new DialRefused({
  reason: "failed",
  detail: `the guest has ${MAX_OPEN} connections`,
  remedy: undefined
})

const revoked = new DialRefused({
  reason: "denied",
  detail: "the permission for one connection ended meanwhile",
  remedy: undefined
})

/** Why a guest gets no more connections; `undefined` if it may have more. */
export const refusalByNumber = ({ open }: Pick<Connecting, "open">): DialRefused | undefined =>
  open.size < MAX_OPEN ? undefined : tooMany

/** Values are put into intercepted connections alone: elsewhere a placeholder shows a wrong or hostile use of the secret. */
const forbiddenAt = (host: string, placeholders: HostInterception["foreign"]): ReadonlyArray<ForbiddenText> =>
  placeholders.map(({ name, placeholder }) => ({
    text: placeholder,
    detail: `the guest sent the placeholder of the secret ${name} to ${host}, which does not get the secret`
  }))

/** The host's side of a connection, or of a flow of datagrams. */
export interface HostSide<S = Socket> {
  readonly dialled: Omit<Dialled, "socket"> & { readonly socket: S }
  /** Rules that allowed it. */
  readonly judgedBy: Rules
  /** Permission that the connection uses. */
  readonly once: TakenOnce | undefined
  readonly isIntercepted: boolean
  /** What the package cache tells about a connection that it answers. */
  readonly served: Deferred.Deferred<Served> | undefined
}

/** An open connection, and what moves its bytes. */
export interface Opened<S = Socket> {
  readonly open: Open
  readonly socket: S
  /** Waits until the guest has the connection. Fails if the guest has given the connection up. */
  readonly guest: Effect.Effect<GuestSocket, unknown>
  readonly texts: ReadonlyArray<ForbiddenText>
  readonly bufferBytes: number
  readonly expectedName: string | undefined
  readonly served: HostSide["served"]
  /** Ends all but the socket. */
  readonly release: () => void
}

/** Tells the guest of a connection in this turn, and adds it to the open ones. The caller releases it. */
export const accept = <S>(
  opening: Opening,
  { dialled, isIntercepted, judgedBy, once, served }: HostSide<S>,
  connecting: Connecting
): Result.Result<Opened<S>, DialRefused> => {
  const { at, cache, name, port, request } = opening
  const { placeholders, rules } = connecting
  const literal = request.address
  const isInspected = judgedBy.comparesNames && name !== undefined
  const { address, socket, viaProxy } = dialled
  // Other connections were made meanwhile.
  const refusal = refusalByNumber(connecting)
  if (refusal !== undefined) return Result.fail(refusal)
  const bufferBytes = connecting.open.size < LARGE_BUFFERS ? LARGE_BUFFER_BYTES : SMALL_BUFFER_BYTES
  const open: Open = {
    at,
    name,
    literal,
    port,
    address,
    viaProxy,
    once: once?.rule,
    isInspected,
    counts: { sentBytes: 0, receivedBytes: 0 },
    ...(request._tag === "Datagrams" ? { datagrams: { usedAt: 0 } } : {}),
    reset: new Signal()
  }
  // The policy may have changed meanwhile.
  const forbidden = rules() === judgedBy ? undefined : forbiddenBy(rules(), open)
  if (forbidden !== undefined) {
    return Result.fail(new DialRefused({ reason: "denied", detail: forbidden.reason, remedy: forbidden.remedy }))
  }
  if (once?.holds() === false) return Result.fail(revoked)
  once?.spend()
  opening.isOnce = once !== undefined
  const accepted = request.acceptNow()
  connecting.open.add(open)
  return Result.succeed({
    open,
    socket,
    guest: Result.isSuccess(accepted) ? accepted.success.socket : Effect.fail(accepted.failure),
    texts: isIntercepted ? [] : forbiddenAt(`${name ?? literal}:${port}`, placeholders()),
    bufferBytes,
    // The cache compares the host of each request itself. A service of this host may want to be called localhost.
    expectedName: isInspected && cache === undefined && name !== THIS_HOST ? name : undefined,
    served,
    release: () => {
      if (Result.isSuccess(accepted)) accepted.success.release()
      connecting.open.delete(open)
    }
  })
}

/** Gives an open connection, or the reason for none. The end of the Scope resets both sides. */
export type ToOpen = Effect.Effect<Opened, DialRefused, Scope.Scope>

const unreadable = ({ message }: Error) => new DialRefused({ reason: "failed", detail: message, remedy: undefined })

const askedFor = ({ name, port, request }: Opening, { group }: Connecting, rules: Rules): DialRequest => ({
  name,
  address: request.address,
  port,
  rules,
  group
})

/** Connects on the host. */
const dial = (
  opening: Opening,
  connecting: Connecting,
  once: TakenOnce | undefined
): Effect.Effect<HostSide, DialRefused, Scope.Scope> =>
  Effect.gen(function*() {
    const { dialler, interceptionOf, rules } = connecting
    const { cache, name, port } = opening
    const refusal = refusalByNumber(connecting)
    if (refusal !== undefined) return yield* refusal
    const judgedBy = once === undefined ? rules() : withOnce(rules(), [once.rule])
    const served = cache === undefined ? undefined : Deferred.makeUnsafe<Served>()
    const onEnd = (got: Served) => served && settleAfterwards(served, Effect.succeed(got))
    const found = name === undefined ? undefined : yield* Effect.mapError(interceptionOf(name, port), unreadable)
    const onDenied = (detail: string) => (opening.denial ??= detail)
    const dialled = yield* dialler.dial({
      ...askedFor(opening, connecting, judgedBy),
      interception: found && { ...found, onDenied },
      cache: cache && { ...cache, onEnd }
    })
    return { dialled, judgedBy, once, isIntercepted: found !== undefined, served }
  })

/** Takes the permission for one connection, if the rules do not allow the connection. The package cache serves what the rules allow. */
const takeOnce = ({ cache, name, port }: Opening, { once, rules }: Connecting) =>
  name === undefined || cache !== undefined ? undefined : once?.take(rules(), name, port)

/** Connects on the host, and tells the guest. */
export const open = (opening: Opening, connecting: Connecting): ToOpen =>
  Effect.suspend(() => {
    let once: TakenOnce | undefined
    return Effect.suspend(() => dial(opening, connecting, once = takeOnce(opening, connecting))).pipe(
      Effect.flatMap((hostSide) =>
        acquirePlain(
          Effect.suspend(() => Effect.fromResult(accept(opening, hostSide, connecting))),
          (opened) => opened.release()
        )
      ),
      Effect.onExit(() => Effect.sync(() => once?.giveBack()))
    )
  })

/** Tells the guest in this turn, with a socket that nobody owns yet. */
const acceptNow = (opening: Opening, hostSide: HostSide, connecting: Connecting): ToOpen => {
  const { socket } = hostSide.dialled
  try {
    const accepted = accept(opening, hostSide, connecting)
    if (Result.isFailure(accepted)) {
      release(socket)
      return Effect.fail(accepted.failure)
    }
    return acquirePlain(Effect.succeed(accepted.success), (opened) => {
      opened.release()
      release(socket)
    })
  } catch (defect) {
    release(socket)
    return Effect.die(defect)
  }
}

/**
 * Calls `connect()` of the host in this turn, without a fiber, and calls `settle` once, after the guest is told. The returned function stops
 * the attempt. `undefined` for a request that has to wait before, or that is not allowed.
 */
export const openNow = (
  opening: Opening,
  connecting: Connecting,
  settle: (toOpen: ToOpen) => void
): (() => void) | undefined => {
  const { dialler, rules } = connecting
  // A name may belong to a secret or to the cache, and has to be looked up.
  if (opening.name !== undefined || refusalByNumber(connecting) !== undefined) return undefined
  const judgedBy = rules()
  return dialler.dialNow(askedFor(opening, connecting, judgedBy), (outcome) =>
    settle(
      outcome instanceof DialRefused
        ? outcome
        : acceptNow(
          opening,
          { dialled: outcome, judgedBy, once: undefined, isIntercepted: false, served: undefined },
          connecting
        )
    ))
}
