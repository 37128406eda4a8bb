import { Effect, type Scope, Stream } from "effect"
import { beginName, type Beginning, DROP, restName, type StreamingRow } from "../contract/begin-rpcs.ts"
import type { PyroError } from "../contract/errors.ts"
import type { Begun } from "../contract/Pyro.ts"
import { newRequestId } from "../system/identity.ts"
import { atClose } from "../system/scopes.ts"
import { type Client, type ConnectionLost, failureOf, methodOf } from "./session.ts"

type Headers = Record<string, string>
type Begin = (
  payload: { readonly id: string; readonly request: unknown },
  options: { readonly headers: Headers }
) => Effect.Effect<Beginning<unknown>, unknown>
type Rest = (payload: { readonly id: string }) => Stream.Stream<unknown, unknown>
type Drop = (payload: { readonly id: string }) => Effect.Effect<void, unknown>

/**
 * Asks for an operation with events: how it begins, and what follows. Whoever leaves before it asked for the rest drops that. `Event` is the
 * row's own.
 */
export const begin = <Event>(
  client: Client,
  row: StreamingRow,
  request: unknown,
  headers: Headers
): Effect.Effect<Begun<Event, PyroError | ConnectionLost>, PyroError | ConnectionLost, Scope.Scope> =>
  Effect.gen(function*() {
    const id = newRequestId()
    const ask = methodOf(client, beginName(row)) as Begin
    let left = false
    const drop = Effect.suspend(() =>
      left ? Effect.catchAllCause((methodOf(client, DROP) as Drop)({ id }), () => Effect.void) : Effect.void
    )
    const { events, more } = yield* Effect.uninterruptible(
      Effect.tap(Effect.interruptible(ask({ id, request }, { headers })), (beginning) => {
        left = beginning.more
        return left ? atClose(drop) : Effect.void
      })
    )
    const rest = more
      ? Stream.suspend(() => {
        left = false
        return (methodOf(client, restName(row)) as Rest)({ id })
      })
      : undefined
    return { events, rest: rest && lostAsFailure(rest) } as Begun<Event, PyroError | ConnectionLost>
  }).pipe(Effect.catchAllCause((cause) => Effect.failCause(failureOf(cause))))

const lostAsFailure = <A>(events: Stream.Stream<A, unknown>): Stream.Stream<A, PyroError | ConnectionLost> =>
  Stream.catchAllCause(events, (cause) => Stream.failCause(failureOf(cause)))
