import { Array as Arr, Cause, Effect, Option, Result, Stream } from "effect"
import { type PyroError, ServiceNotFound, SnapshotNotFound, WorkspaceNotFound } from "../../contract/errors/errors.ts"
import type { PullEvents, StreamingCall } from "../../contract/rows/event-batches.ts"
import { ends, type Operation } from "../../contract/rows/operations.ts"
import { callOf, mapCalls, type PyroService } from "../../contract/rows/Pyro.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import { redactValue } from "../../lib/redaction/redact.ts"
import type { SecretSet } from "../../lib/redaction/secrets.ts"

/** The same error without names of other objects. */
const withoutSimilar = (error: PyroError): PyroError => {
  switch (error._tag) {
    case "ServiceNotFound":
      return new ServiceNotFound({ ...error, similar: [] })
    case "SnapshotNotFound":
      return new SnapshotNotFound({ ...error, similar: [] })
    case "WorkspaceNotFound":
      return new WorkspaceNotFound({ ...error, similar: [] })
    default:
      return error
  }
}

/**
 * The same operations. An operation that ends or removes an object suggests no similar names for an unknown name. A person in a hurry, or
 * a model, would take the most similar name and lose another workspace.
 */
export const withExactNames = (pyro: PyroService): PyroService =>
  mapCalls((row) => {
    const call = callOf(pyro, row)
    if (!ends(row)) return call
    return (payload: unknown) => {
      const work = call(payload) as Effect.Effect<unknown, PyroError> | Stream.Stream<unknown, PyroError>
      return Effect.isEffect(work) ? Effect.mapError(work, withoutSimilar) : Stream.mapError(work, withoutSimilar)
    }
  })

type Sets = ReadonlyArray<SecretSet>
/** The secrets that an answer to this payload may have. */
type SecretsOf = (payload: unknown) => Effect.Effect<Sets>

interface Event {
  readonly _tag: string
}

/** Output of a command comes from its log or its filter, without secrets. An export refuses content with a secret. */
const isFiltered = ({ _tag }: Event) => _tag === "Output"

/** Whether a person asked for content with its secrets. */
const isAllowed = (payload: unknown) =>
  typeof payload === "object" && payload !== null && "allowSecrets" in payload && payload.allowSecrets === true

const inCause = <E>(sets: Sets, cause: Cause.Cause<E>): Cause.Cause<E> => {
  if (sets.length === 0) return cause
  const text = Option.map(Result.getSuccess(Cause.findDefect(cause)), String)
  // A defect with a secret becomes a defect with the redacted text alone.
  return Option.isSome(text) && redactValue(sets, text.value) !== text.value
    ? Cause.die(redactValue(sets, text.value))
    : Cause.map(cause, (failure) =>
      Option.isOption(failure)
        ? Option.map(failure, (one) => redactValue(sets, one)) as E
        : redactValue(sets, failure))
}

const inEvents = <Events extends ReadonlyArray<Event>>(sets: Sets, events: Events) =>
  sets.length === 0 ? events : Arr.map(events, (event) => isFiltered(event) ? event : redactValue(sets, event))

const inEffect = <A, E, R>(secretsOf: SecretsOf, payload: unknown, work: Effect.Effect<A, E, R>) =>
  work.pipe(
    Effect.flatMap((result) =>
      isAllowed(payload)
        ? Effect.succeed(result)
        : Effect.map(secretsOf(payload), (sets) => redactValue(sets, result))
    ),
    Effect.catchCause((cause) => Effect.flatMap(secretsOf(payload), (sets) => Effect.failCause(inCause(sets, cause))))
  )

type AnyCall = (payload: unknown, input?: RunInput) => unknown

const streamed = (call: StreamingCall<Event, unknown>, secretsOf: SecretsOf) => {
  const whole = (payload: unknown, input?: RunInput) =>
    call(payload, input).pipe(
      Stream.mapArrayEffect((events) => Effect.map(secretsOf(payload), (sets) => inEvents(sets, events))),
      Stream.catchCause((cause) =>
        Stream.fromEffect(Effect.flatMap(secretsOf(payload), (sets) => Effect.failCause(inCause(sets, cause))))
      )
    )
  const { pull } = call
  if (pull === undefined) return whole
  return Object.assign(whole, {
    pull: (payload: unknown, input?: RunInput) =>
      Effect.map(
        inEffect(secretsOf, payload, pull(payload, input)),
        (next): PullEvents<Event> => (waitMs) =>
          next(waitMs).pipe(
            Effect.flatMap((events) =>
              events.every(isFiltered)
                ? Effect.succeed(events)
                : Effect.map(secretsOf(payload), (sets) => inEvents(sets, events))
            ),
            Effect.catchCause((cause) =>
              Effect.flatMap(secretsOf(payload), (sets) => Effect.failCause(inCause(sets, cause)))
            )
          )
      )
  })
}

const redactedCall = (pyro: PyroService, row: Operation, secretsOf: SecretsOf): AnyCall => {
  const call = callOf(pyro, row) as AnyCall
  return row.kind === "streaming"
    ? streamed(call as unknown as StreamingCall<Event, unknown>, secretsOf) as AnyCall
    : (payload) => inEffect(secretsOf, payload, call(payload) as Effect.Effect<unknown>)
}

/** The same operations, with answers that have no secrets. Every surface of pyro gets its answers from here. */
export const withoutSecrets = (pyro: PyroService, secretsOf: SecretsOf): PyroService =>
  mapCalls((row) => redactedCall(pyro, row, secretsOf))
