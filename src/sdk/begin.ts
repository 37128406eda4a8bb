import { Effect, type Scope, Stream } from "effect"
import { beginName, type Beginning, DROP, restName, type StreamingRow } from "../contract/begin-rpcs.ts"
import type { PyroError } from "../contract/errors.ts"
import { newRequestId } from "../system/identity.ts"
import { type Client, type ConnectionLost, failureOf, methodOf } from "./session.ts"

/** What an operation did at once, and what follows, if anything does. */
export interface Begun<Event> {
  readonly events: ReadonlyArray<Event>
  readonly rest: Stream.Stream<Event, PyroError | ConnectionLost> | undefined
}

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
): Effect.Effect<Begun<Event>, PyroError | ConnectionLost, Scope.Scope> =>
  Effect.gen(function*() {
    const id = newRequestId()
    let left = false
    const { events, more } = yield* Effect.acquireRelease(
      Effect.interruptible((methodOf(client, beginName(row)) as Begin)({ id, request }, { headers })).pipe(
        Effect.tap(({ more }) => left = more)
      ),
      () => left ? Effect.catchAllCause((methodOf(client, DROP) as Drop)({ id }), () => Effect.void) : Effect.void
    )
    const rest = more
      ? Stream.suspend(() => {
        left = false
        return (methodOf(client, restName(row)) as Rest)({ id })
      })
      : undefined
    return { events, rest: rest && lostAsFailure(rest) } as Begun<Event>
  }).pipe(Effect.catchAllCause((cause) => Effect.failCause(failureOf(cause))))

const lostAsFailure = <A>(events: Stream.Stream<A, unknown>): Stream.Stream<A, PyroError | ConnectionLost> =>
  Stream.catchAllCause(events, (cause) => Stream.failCause(failureOf(cause)))
