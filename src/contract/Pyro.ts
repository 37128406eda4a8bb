import { Context, type Effect, type Scope, type Stream } from "effect"
import type { PyroError } from "./errors.ts"
import type { EventOf, Operation, OperationName, OperationOf, PayloadOf, ResultOf } from "./operations.ts"

export interface WindowSize {
  readonly rows: number
  readonly cols: number
}

/** What flows into a running command while it runs. */
export interface RunInput {
  /** The command's stdin, pulled only as fast as the guest takes it; its end closes the guest's stdin. None: /dev/null. */
  readonly stdin?: Stream.Stream<Uint8Array>
  /** New sizes of the caller's terminal, for a command with `tty`. */
  readonly resizes?: Stream.Stream<WindowSize>
  /** Ends when `run`'s command is to be ended as by Ctrl-C: its output flows on until its end. A command with an id is ended by `workspace.cancel`. */
  readonly interrupt?: Effect.Effect<void>
  /** A command that is known already is taken up as by the one who started it: its interruption ends it, stdin flows on. */
  readonly resumed?: boolean
  /** Asked when a running command's stream is dropped: whether only this process leaves, and the caller is still there. */
  readonly leaving?: Effect.Effect<boolean>
}

/** How work with events began: what happened at once, and what follows, if anything does. */
export interface Begun<Event, E = PyroError> {
  readonly events: ReadonlyArray<Event>
  readonly rest: Stream.Stream<Event, E> | undefined
}

export type Begin<Event, Payload = never> = (
  payload: Payload,
  input?: RunInput
) => Effect.Effect<Begun<Event>, PyroError, Scope.Scope>

/** A call with events: as a stream, or in two parts where whoever does it has them so. The Scope of `begin` is how long the work goes on. */
export interface EventCall<Event, Payload = never> {
  (payload: Payload, input?: RunInput): Stream.Stream<Event, PyroError>
  readonly begin?: Begin<Event, Payload>
}

type Inputs<Name extends OperationName> = Name extends "run" | "workspace.exec" ? [input?: RunInput] : []

interface StreamingCall<Name extends OperationName> {
  (payload: PayloadOf<Name>, ...input: Inputs<Name>): Stream.Stream<EventOf<Name>, PyroError>
  /** The same in two parts, where whoever does it has them so: see `forEachEvent`. */
  readonly begin?: Begin<EventOf<Name>, PayloadOf<Name>>
}

/** How one operation is called: an Effect of the result, or a Stream of events whose interruption ends the work. */
export type Call<Name extends OperationName> = OperationOf<Name> extends { readonly kind: "streaming" }
  ? StreamingCall<Name>
  : (payload: PayloadOf<Name>) => Effect.Effect<ResultOf<Name>, PyroError>

/** A name up to its first dot, and what follows. */
export type Head<Name extends string> = Name extends `${infer First}.${string}` ? First : Name
export type Tail<Name extends string, First extends string> = Name extends `${First}.${infer Rest}` ? Rest : never

/** `workspace.file.list` is reached as `workspace.file.list`: dots nest. */
type Nested<Name extends string, Prefix extends string = ""> = {
  readonly [First in Head<Name>]: `${Prefix}${First}` extends OperationName ? Call<`${Prefix}${First}`>
    : Nested<Tail<Name, First>, `${Prefix}${First}.`>
}

export type PyroService = Nested<OperationName>

/** Everything pyro can do, wherever it is done: in this process, or behind a socket. */
export class Pyro extends Context.Tag("pyro/contract/Pyro")<Pyro, PyroService>() {}

/** The call of an operation that is known only as a row of the table. */
export const callOf = (pyro: PyroService, operation: Operation) => {
  let at: unknown = pyro
  for (const word of operation.name.split(".")) at = (at as Record<string, unknown>)[word]
  return at as (payload: unknown, input?: RunInput) => unknown
}
