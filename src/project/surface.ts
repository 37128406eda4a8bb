import type { Effect, Stream } from "effect"
import type { ChannelFailed, PyroError } from "../contract/errors/errors.ts"
import type { CliSurface, Folding } from "../contract/rows/operation.ts"
import type { OperationName } from "../contract/rows/operations.ts"

/** An operation whose events fold to one result. */
interface Foldable<Payload, Event, Result> {
  readonly cli: CliSurface
  readonly fold: (payload: Payload) => Folding<Event, Result>
}

/** Functions that the calling program provides for work on a project. */
export interface Surface {
  /** Asks the person for what a file asks for. False: not granted. */
  readonly grants: (path: string, asks: ReadonlyArray<string>) => Effect.Effect<boolean>
  /** Shows the progress of an operation, and gives its result. */
  readonly show: <Payload, Event extends { readonly _tag: string }, Result, E extends PyroError>(
    row: Foldable<Payload, Event, Result>,
    payload: Payload,
    events: Stream.Stream<Event, E>
  ) => Effect.Effect<Result, ChannelFailed | E>
  /** Adds the person's logins of the registries that a request names. */
  readonly withLogins: <Payload>(operation: OperationName, payload: Payload) => Effect.Effect<Payload>
  /** Shows output of a setup command. */
  readonly output: (bytes: Uint8Array) => Effect.Effect<void>
  /** Tells one line about a step. */
  readonly say: (text: string) => Effect.Effect<void>
  /** A variable of the person's environment. */
  readonly variable: (name: string) => string | undefined
}
