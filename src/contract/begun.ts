import { Effect, type Scope, Stream } from "effect"
import type { PyroError } from "./errors.ts"
import type { Begin, Begun, EventCall, RunInput } from "./Pyro.ts"

export const streamOfBegun = <Event, E>(
  begun: Effect.Effect<Begun<Event, E>, E, Scope.Scope>
): Stream.Stream<Event, E> =>
  Stream.unwrapScoped(
    Effect.map(begun, ({ events, rest }) => {
      const told = Stream.fromIterable(events)
      return rest === undefined ? told : Stream.concat(told, rest)
    })
  )

/** A call by what it begins with. */
export const eventCall = <Event, Payload>(begin: Begin<Event, Payload>): EventCall<Event, Payload> =>
  Object.assign((payload: Payload, input?: RunInput) => streamOfBegun(begin(payload, input)), { begin })

/**
 * Hands on every event to the last. Where all happens at once no stream is made: running one, even an empty one, costs as much as
 * both sides' part of a short command's request.
 */
export const forEachEvent = <Event, Payload, E>(
  call: EventCall<Event, Payload>,
  payload: Payload,
  input: RunInput | undefined,
  f: (event: Event) => Effect.Effect<unknown, E>
): Effect.Effect<void, E | PyroError> =>
  call.begin === undefined
    ? Stream.runForEach(call(payload, input), f)
    : Effect.scoped(
      Effect.flatMap(call.begin(payload, input), ({ events, rest }) => {
        const told = Effect.forEach(events, f, { discard: true })
        return rest === undefined ? told : Effect.zipRight(told, Stream.runForEach(rest, f))
      })
    )
