import { Effect, Option, Stream } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { PullEvents, PullOperation } from "../../../contract/rows/event-batches.ts"
import type { Operation } from "../../../contract/rows/operations.ts"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { SecretSet } from "../../../lib/redaction/secrets.ts"

/** An event of any operation. */
export interface Event {
  readonly _tag: string
}

type Answer = Effect.Effect<unknown, PyroError>
type Events = Stream.Stream<Event, PyroError>

/** The call of any operation, as `Pyro` has it: an Effect of a unary row, a Stream of a streaming row, which may have pulls too. */
export interface AnyCall {
  (payload: unknown, input?: RunInput): Answer | Events
  readonly pull?: PullOperation<Event, unknown>
}

/** What the process gives to the lines around calls. */
export interface Process {
  /** The secrets that an answer to this payload may have. */
  readonly secretsOf: (payload: unknown) => Effect.Effect<ReadonlyArray<SecretSet>>
  /** Fails if the disk has too little room for something new. */
  readonly demandRoom: Effect.Effect<void, PyroError>
  /** Fails with the failure. A refusal for memory or processors names unused workspaces, as far as this process has workspaces. */
  readonly failNamed: (failure: PyroError) => Effect.Effect<never, PyroError>
  /** The calls of operations whose workspaces may be of a devcontainer.json or a Dockerfile. */
  readonly ofRecipes: (row: Operation, call: AnyCall) => AnyCall
}

/** The three forms of a call. */
interface Changed {
  readonly answer: (work: Answer, payload: unknown) => Answer
  readonly events: (work: Events, payload: unknown) => Events
  readonly pull: (start: ReturnType<PullOperation<Event, unknown>>, payload: unknown) => typeof start
}

/** The same call with its work changed, in whichever form the call has. */
export const changed = (row: Operation, call: AnyCall, { answer, events, pull }: Changed): AnyCall => {
  if (row.kind === "unary") return (payload) => answer(call(payload) as Answer, payload)
  const whole = (payload: unknown, input?: RunInput) => events(call(payload, input) as Events, payload)
  const { pull: start } = call
  return start === undefined
    ? whole
    : Object.assign(whole, { pull: (payload: unknown, input?: RunInput) => pull(start(payload, input), payload) })
}

/** The same call after a demand, whose failure refuses the call. */
export const demanding = (
  row: Operation,
  call: AnyCall,
  demand: (payload: unknown) => Effect.Effect<unknown, PyroError>
): AnyCall =>
  changed(row, call, {
    answer: (work, payload) => Effect.andThen(demand(payload), work),
    events: (work, payload) => Stream.unwrap(Effect.as(demand(payload), work)),
    pull: (start, payload) => Effect.andThen(demand(payload), start)
  })

/** The same call with other errors, which need a look. */
export const failingWith = (
  row: Operation,
  call: AnyCall,
  f: (error: PyroError) => Effect.Effect<never, PyroError>
): AnyCall =>
  changed(row, call, {
    answer: Effect.catch(f),
    events: Stream.catch((error) => Stream.fromEffect(f(error))),
    pull: (start) =>
      Effect.map(Effect.catch(start, f), (next): PullEvents<Event> => (waitMs) =>
        Effect.catch(next(waitMs), (end): Effect.Effect<never, Option.Option<PyroError>> =>
          Option.isNone(end) ? Effect.fail(end) : Effect.mapError(f(end.value), Option.some)))
  })

/** The same call with other errors. */
export const failing = (row: Operation, call: AnyCall, f: (error: PyroError) => PyroError): AnyCall =>
  failingWith(row, call, (error) => Effect.fail(f(error)))
