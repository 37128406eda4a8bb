import { Effect, Stream } from "effect"
import { ChannelFailed, type PyroError } from "../contract/errors/errors.ts"
import { forEachEvent, type StreamingCall } from "../contract/rows/event-batches.ts"
import type { Folding } from "../contract/rows/operation.ts"
import type { EventOf, Operation, OperationName, OperationOf, ResultOf } from "../contract/rows/operations.ts"
import { callOf, Pyro, type PyroService, type WithInput } from "../contract/rows/Pyro.ts"
import type { RunInput } from "../contract/rows/run-input.ts"
import { type Nested, nested } from "./nested.ts"
import { type Options, payloadOf } from "./options.ts"

/** An operation for Effect programs. Options that may all be left out may be left out themselves. */
export type EffectCall<Name extends OperationName> = OperationOf<Name> extends { readonly kind: "streaming" } ? {
    /** Events in their order. The end of the stream's Scope ends the work. */
    (...args: Arguments<Name>): Stream.Stream<EventOf<Name>, PyroError, Pyro>
    /** The same work until its end, as one result. */
    readonly collect: (...args: Arguments<Name>) => Effect.Effect<ResultOf<Name>, PyroError, Pyro>
  }
  : (...args: Arguments<Name>) => Effect.Effect<ResultOf<Name>, PyroError, Pyro>

type Arguments<Name extends OperationName> = Name extends WithInput ? [options: Options<Name>, input?: RunInput]
  : {} extends Options<Name> ? [options?: Options<Name>]
  : [options: Options<Name>]

export type PyroEffects = Nested<{ readonly [Name in OperationName]: EffectCall<Name> }>

type AnyCall = (options?: object, input?: RunInput) => unknown

const eventsOf = (row: Operation, pyro: PyroService) => callOf(pyro, row) as StreamingCall<unknown, unknown>

/** Runs an operation to its end and gives its result. `begun` gets what gathers the events. */
export const collecting = (
  row: Extract<Operation, { readonly kind: "streaming" }>,
  options: object,
  input: RunInput | undefined,
  begun: (folding: Folding<unknown, unknown>) => void = () => {}
): Effect.Effect<unknown, PyroError, Pyro> =>
  Effect.gen(function*() {
    const payload = yield* payloadOf(row, options)
    const folding = (row.fold as (payload: unknown) => Folding<unknown, unknown>)(payload)
    begun(folding)
    const add = (event: unknown) => Effect.sync(() => folding.add(event))
    yield* forEachEvent(eventsOf(row, yield* Pyro), payload, input, add)
    return folding.result() ?? (yield* new ChannelFailed({ detail: "the stream of events ended without its last" }))
  })

const effectCall = (row: Operation): AnyCall => {
  if (row.kind === "unary") {
    return (options = {}) =>
      Effect.flatMap(
        payloadOf(row, options),
        (payload) => Effect.flatMap(Pyro, (pyro) => callOf(pyro, row)(payload) as Effect.Effect<unknown, PyroError>)
      )
  }
  const stream: AnyCall = (options = {}, input) =>
    Stream.unwrap(
      Effect.flatMap(payloadOf(row, options), (payload) =>
        Effect.map(Pyro, (pyro) => eventsOf(row, pyro)(payload, input)))
    )
  const collect: AnyCall = (options = {}, input) => collecting(row, options, input)
  return Object.assign(stream, { collect })
}

/**
 * Every operation for Effect programs, wherever it is done: see the Layers `layer` (in this process) and `layerDaemon`. Bad options
 * fail with InvalidRequest before anything is done.
 *
 * @example
 * const { status } = yield* pyro.workspace.exec.collect({ workspace: "fix", script: "python3 -m unittest" })
 */
export const pyro = nested(effectCall) as PyroEffects
