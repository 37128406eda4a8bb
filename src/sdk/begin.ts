import { Cause, Effect, type Scope, Stream } from "effect"
import { beginName, type Beginning, DROP, restName, type StreamingRow } from "../contract/begin-rpcs.ts"
import { projectHeaders } from "../contract/caller-project.ts"
import type { PyroError } from "../contract/errors.ts"
import type { Begun } from "../contract/Pyro.ts"
import { newRequestId } from "../system/identity.ts"
import { atClose } from "../system/scopes.ts"
import { within } from "../system/within.ts"
import { type Client, type ConnectionLost, failureOf, methodOf } from "./session.ts"

type Headers = Record<string, string>
type Begin = (
  payload: { readonly id: string; readonly request: unknown },
  options: { readonly headers: Headers }
) => Effect.Effect<Beginning<unknown>, unknown>
type Rest = (payload: { readonly id: string }) => Stream.Stream<unknown, unknown>
type Drop = (payload: { readonly id: string }) => Effect.Effect<void, unknown>

/** How long the end of what was left is waited for, beside the time that it has to end by itself: a guest may be stuck. */
const END_MS = 5_000

/** The time in ms that a command has to end by itself, where the request is for one. */
const graceMsOf = (request: unknown) => {
  const { graceSeconds } = request as { readonly graceSeconds?: unknown }
  return typeof graceSeconds === "number" ? graceSeconds * 1000 : 0
}

/** Asks for an operation with events: how it begins, and what follows. Whoever leaves before the last ends it. `Event` is the row's own. */
export const begin = <Event>(
  client: Client,
  row: StreamingRow,
  request: unknown,
  headers: Headers,
  id = newRequestId()
): Effect.Effect<Begun<Event, PyroError | ConnectionLost>, PyroError | ConnectionLost, Scope.Scope> =>
  Effect.gen(function*() {
    const ask = methodOf(client, beginName(row)) as Begin
    const endMs = END_MS + graceMsOf(request)
    let isOpen = true
    // Dropping it waits for its end: what was asked for is over when whoever left goes on.
    const drop = Effect.suspend(() =>
      isOpen
        ? within(endMs, Effect.catchAllCause((methodOf(client, DROP) as Drop)({ id }), () => Effect.void))
        : Effect.void
    )
    const ofCaller = { ...headers, ...yield* projectHeaders }
    const { events, more } = yield* Effect.uninterruptible(
      Effect.matchCauseEffect(Effect.interruptible(ask({ id, request }, { headers: ofCaller })), {
        onSuccess: (beginning) => {
          isOpen = beginning.more
          return isOpen ? Effect.as(atClose(drop), beginning) : Effect.succeed(beginning)
        },
        onFailure: (cause) => Effect.zipRight(Cause.isInterrupted(cause) ? drop : Effect.void, Effect.failCause(cause))
      })
    )
    const isOver = () => {
      isOpen = false
    }
    const rest = more
      ? Stream.suspend(() => (methodOf(client, restName(row)) as Rest)({ id })).pipe(
        Stream.onDone(() => Effect.sync(isOver)),
        Stream.tapErrorCause(() => Effect.sync(isOver))
      )
      : undefined
    return { events, rest: rest && lostAsFailure(rest) } as Begun<Event, PyroError | ConnectionLost>
  }).pipe(Effect.catchAllCause((cause) => Effect.failCause(failureOf(cause))))

const lostAsFailure = <A>(events: Stream.Stream<A, unknown>): Stream.Stream<A, PyroError | ConnectionLost> =>
  Stream.catchAllCause(events, (cause) => Stream.failCause(failureOf(cause)))
