import { Cause, Effect, Option, type Scope, Stream } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { type FirstEvents, streamFromPull } from "../contract/rows/event-batches.ts"
import { projectHeaders } from "../contract/wire/caller-project.ts"
import { DROP, type FirstBatch, firstName, restName, type StreamingRow } from "../contract/wire/event-rpcs.ts"
import { newRequestId } from "../system/processes/identity.ts"
import { atClose } from "../system/waits/scopes.ts"
import { within } from "../system/waits/within.ts"
import { type Client, type ConnectionLost, failureOf, methodOf } from "./session.ts"

type Headers = Record<string, string>
type First = (
  payload: { readonly id: string; readonly request: unknown },
  options: { readonly headers: Headers }
) => Effect.Effect<FirstBatch<unknown>, unknown>
type Rest = (payload: { readonly id: string }) => Stream.Stream<unknown, unknown>
type Drop = (payload: { readonly id: string }) => Effect.Effect<void, unknown>

/** Maximum wait in ms for the end of a dropped operation, in addition to the command's grace: a guest may be stuck. */
const END_MS = 5_000

/** Grace of a command in ms, if the request has one. */
const graceMsOf = (request: unknown) => {
  const { graceSeconds } = request as { readonly graceSeconds?: unknown }
  return typeof graceSeconds === "number" ? graceSeconds * 1000 : 0
}

/** Requests an operation with events. The operation ends if the Scope closes before its last event. `Event` is the row's own. */
export const firstEvents = <Event>(
  client: Client,
  row: StreamingRow,
  request: unknown,
  headers: Headers,
  id = newRequestId()
): Effect.Effect<FirstEvents<Event, PyroError | ConnectionLost>, PyroError | ConnectionLost, Scope.Scope> =>
  Effect.gen(function*() {
    const ask = methodOf(client, firstName(row)) as First
    const endMs = END_MS + graceMsOf(request)
    let isOpen = true
    // A drop waits for the end, so that the operation is over when its caller continues.
    const drop = Effect.suspend(() =>
      isOpen
        ? within(endMs, Effect.catchCause((methodOf(client, DROP) as Drop)({ id }), () => Effect.void))
        : Effect.void
    )
    const ofCaller = { ...headers, ...yield* projectHeaders }
    const { events, more } = yield* Effect.uninterruptible(
      Effect.matchCauseEffect(Effect.interruptible(ask({ id, request }, { headers: ofCaller })), {
        onSuccess: (batch) => {
          isOpen = batch.more
          return isOpen ? Effect.as(atClose(drop), batch) : Effect.succeed(batch)
        },
        onFailure: (cause) => Effect.andThen(Cause.hasInterrupts(cause) ? drop : Effect.void, Effect.failCause(cause))
      })
    )
    const isOver = () => {
      isOpen = false
    }
    if (more && client.direct?.isOpen === true) {
      const { interrupt, pull } = client.direct.events<Event>(row, id)
      yield* atClose(Effect.sync(interrupt))
      const next = Effect.catchCause(pull, (cause) => {
        const failure = Cause.findErrorOption(cause)
        const known: Cause.Cause<Option.Option<PyroError | ConnectionLost>> =
          Option.isSome(failure) && Option.isNone(failure.value)
            ? Cause.fail(Option.none())
            : Cause.map(failureOf(Cause.map(cause, Option.getOrUndefined)), Option.some)
        return Effect.andThen(Effect.sync(isOver), Effect.failCause(known))
      })
      return { events, rest: streamFromPull(Effect.succeed(() => next)), next } as FirstEvents<
        Event,
        PyroError | ConnectionLost
      >
    }
    const rest = more
      ? Stream.suspend(() => (methodOf(client, restName(row)) as Rest)({ id })).pipe(
        Stream.onEnd(Effect.sync(isOver)),
        Stream.tapCause(() => Effect.sync(isOver))
      )
      : undefined
    return { events, rest: rest && lostAsFailure(rest) } as FirstEvents<Event, PyroError | ConnectionLost>
  }).pipe(Effect.catchCause((cause) => Effect.failCause(failureOf(cause))))

const lostAsFailure = <A>(events: Stream.Stream<A, unknown>): Stream.Stream<A, PyroError | ConnectionLost> =>
  Stream.catchCause(events, (cause) => Stream.failCause(failureOf(cause)))
