import { Cause, Effect, Option, Queue, type Scope, Stream } from "effect"
import type { PyroError } from "../errors/errors.ts"
import type { RunInput } from "./run-input.ts"

/**
 * Pulls the next events of an operation. The batch is empty if no event comes within `waitMs`; without `waitMs` the pull waits for
 * events. No event comes twice, and a pull after an interrupted one loses none. The pull fails with `None` after the last event.
 */
export type PullEvents<Event, E = PyroError> = (
  waitMs?: number
) => Effect.Effect<ReadonlyArray<Event>, Option.Option<E>>

/** Starts an operation and gives its events batch by batch. The operation ends with the Scope. */
export type PullOperation<Event, Payload = never, E = PyroError> = (
  payload: Payload,
  input?: RunInput
) => Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>

/** Calls an operation with events. */
export interface StreamingCall<Event, Payload = never, E = PyroError> {
  (payload: Payload, input?: RunInput): Stream.Stream<Event, E>
  /** The process that executes the operation may have this. */
  readonly pull?: PullOperation<Event, Payload, E>
}

/** Number of events that a stream may produce before the reader pulls them. */
const BUFFERED_EVENTS = 16

/** Pulls from a stream, which runs as long as the Scope. */
export const pullFromStream = <A, E>(
  events: Stream.Stream<A, E>
): Effect.Effect<PullEvents<A, E>, never, Scope.Scope> =>
  Effect.map(Stream.toQueue(events, { capacity: BUFFERED_EVENTS }), (queue) => {
    const pull: Effect.Effect<ReadonlyArray<A>, Option.Option<E>> = Effect.mapError(
      Queue.takeAll(queue),
      (error) => Cause.isDone(error) ? Option.none() : Option.some(error)
    )
    return (waitMs) =>
      waitMs === undefined
        ? pull
        : Effect.timeoutOrElse(pull, { duration: waitMs, orElse: () => Effect.succeed<ReadonlyArray<A>>([]) })
  })

export const streamFromPull = <Event, E>(
  start: Effect.Effect<PullEvents<Event, E>, E, Scope.Scope>
): Stream.Stream<Event, E> =>
  Stream.unwrap(Effect.map(start, (pull) =>
    Stream.flattenIterable(Stream.fromPull(Effect.succeed(
      Effect.map(
        Effect.mapError(pull(), Option.getOrElse(() => Cause.Done())),
        (events): readonly [ReadonlyArray<Event>] => [events]
      )
    )))))

/** A call that has the events as pulls. */
export const callFromPull = <Event, Payload, E>(
  pull: PullOperation<Event, Payload, E>
): StreamingCall<Event, Payload, E> =>
  Object.assign((payload: Payload, input?: RunInput) => streamFromPull(pull(payload, input)), { pull })

/** Runs `f` for every event, in order. Where the call has pulls, it costs no stream: a short command has few events. */
export const forEachEvent = <Event, Payload, E, E2>(
  call: StreamingCall<Event, Payload, E>,
  payload: Payload,
  input: RunInput | undefined,
  f: (event: Event) => Effect.Effect<unknown, E2>
): Effect.Effect<void, E | E2> => {
  const { pull } = call
  if (pull === undefined) return Stream.runForEach(call(payload, input), f)
  return Effect.scoped(Effect.flatMap(pull(payload, input), (next) => {
    const all: Effect.Effect<void, E | E2> = Effect.matchEffect(next(), {
      onFailure: Option.match({ onNone: () => Effect.void, onSome: Effect.fail }),
      onSuccess: (events) => Effect.andThen(Effect.forEach(events, f, { discard: true }), Effect.suspend(() => all))
    })
    return all
  }))
}
