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

/** The first batch of events, and the stream of all later ones; `rest` is undefined if the operation has ended. */
export interface FirstEvents<Event, E = PyroError> {
  readonly events: ReadonlyArray<Event>
  readonly rest: Stream.Stream<Event, E> | undefined
  /** The same events as `rest` batch by batch, where the provider has them so. Fails with `None` after the last event. */
  readonly next?: Effect.Effect<ReadonlyArray<Event>, Option.Option<E>>
}

/** Starts an operation and gives its first batch. The operation ends with the Scope. */
export type StartOperation<Event, Payload = never> = (
  payload: Payload,
  input?: RunInput
) => Effect.Effect<FirstEvents<Event>, PyroError, Scope.Scope>

/** Starts an operation and gives its events batch by batch. The operation ends with the Scope. */
export type PullOperation<Event, Payload = never> = (
  payload: Payload,
  input?: RunInput
) => Effect.Effect<PullEvents<Event>, PyroError, Scope.Scope>

/** Calls an operation with events. The stream always works; `first` and `pull` avoid its cost where the provider has them. */
export interface StreamingCall<Event, Payload = never> {
  (payload: Payload, input?: RunInput): Stream.Stream<Event, PyroError>
  /** The daemon's client has this: one request brings the first batch. */
  readonly first?: StartOperation<Event, Payload>
  /** The process that executes the operation may have this. */
  readonly pull?: PullOperation<Event, Payload>
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
export const callFromPull = <Event, Payload>(
  pull: PullOperation<Event, Payload>
): StreamingCall<Event, Payload> =>
  Object.assign((payload: Payload, input?: RunInput) => streamFromPull(pull(payload, input)), { pull })

export const streamFromFirst = <Event, E>(
  start: Effect.Effect<FirstEvents<Event, E>, E, Scope.Scope>
): Stream.Stream<Event, E> =>
  Stream.unwrap(
    Effect.map(start, ({ events, rest }) => {
      const first = Stream.fromIterable(events)
      return rest === undefined ? first : Stream.concat(first, rest)
    })
  )

/** A call that has the events as a first batch and a rest. */
export const callFromFirst = <Event, Payload>(
  first: StartOperation<Event, Payload>
): StreamingCall<Event, Payload> =>
  Object.assign((payload: Payload, input?: RunInput) => streamFromFirst(first(payload, input)), { first })

/** Runs `f` for every event of later batches, without the cost of a stream. */
const forEachNext = <Event, E, E2>(
  next: Effect.Effect<ReadonlyArray<Event>, Option.Option<E>>,
  f: (event: Event) => Effect.Effect<unknown, E2>
): Effect.Effect<void, E | E2> =>
  Effect.flatMap(
    Effect.matchEffect(next, {
      onFailure: Option.match({ onNone: () => Effect.succeed(undefined), onSome: Effect.fail }),
      onSuccess: Effect.succeed
    }),
    (batch) =>
      batch === undefined ? Effect.void : Effect.andThen(
        Effect.forEach(batch, f, { discard: true }),
        Effect.suspend(() => forEachNext(next, f))
      )
  )

/**
 * Runs `f` for every event, in order. No stream runs if the first batch is the whole operation: even an empty stream costs as much as
 * both sides' part of a short command's request.
 */
export const forEachEvent = <Event, Payload, E>(
  call: StreamingCall<Event, Payload>,
  payload: Payload,
  input: RunInput | undefined,
  f: (event: Event) => Effect.Effect<unknown, E>
): Effect.Effect<void, E | PyroError> =>
  call.first === undefined
    ? Stream.runForEach(call(payload, input), f)
    : Effect.scoped(
      Effect.flatMap(call.first(payload, input), ({ events, next, rest }) => {
        const first = Effect.forEach(events, f, { discard: true })
        if (rest === undefined) return first
        return Effect.andThen(first, next === undefined ? Stream.runForEach(rest, f) : forEachNext(next, f))
      })
    )
