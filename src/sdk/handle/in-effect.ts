import type { Effect, Option, Scope, Sink, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { ByteSink, EventStream } from "../promises/common.ts"
import type { WorkspaceInfo } from "../promises/shapes.ts"
import type { ErrorOfMember } from "./operations.ts"

/** A value that a method takes. Options lose `signal`, because a fiber is interrupted; where bytes may come in pieces, a Stream may too. */
export type Given<T> = T extends string | number | boolean | null | undefined | Uint8Array | ReadonlyArray<unknown> ? T
  : T extends (...args: never) => unknown ? T
  : T extends AsyncIterable<infer A> ? T | Stream.Stream<A, unknown>
  : { readonly [K in keyof T as K extends "signal" ? never : K]: Given<T[K]> }

/** A value that a promise resolves with, or a property has. */
type Taken<T> = T extends ReadonlyArray<infer One> ? One extends AsyncDisposable ? ReadonlyArray<InEffect<One>> : T
  : T extends AsyncDisposable ? InEffect<T>
  : T

/** Services that a call with this result needs. */
type Needs<T> = T extends AsyncDisposable ? Scope.Scope : never

/**
 * The Effect form of an interface of the promise form (src/sdk/promises): both forms have one shape, which this type translates. Promises
 * are Effects with typed errors. A result with an end, such as a process, needs a Scope, which ends it. Null is None. Streams of the web are
 * Streams and Sinks.
 */
export type InEffect<T> = {
  readonly [K in keyof T as K extends symbol ? never : K]: Member<T[K], ErrorOfMember<T, K>>
}

/** A member of the Effect form. */
export type Member<T, E = PyroError> = T extends EventStream<infer A> ? Stream.Stream<A, E>
  : T extends ByteSink ? Sink.Sink<void, string | Uint8Array, never, E>
  : T extends (...args: infer Args) => infer Result ? Result extends Promise<infer A> ? (
        ...args: { [K in keyof Args]: Given<Args[K]> }
      ) => Effect.Effect<
        null extends A ? Option.Option<Taken<NonNullable<A>>> : Taken<A>,
        E,
        Needs<NonNullable<A>>
      >
    : (...args: { [K in keyof Args]: Given<Args[K]> }) => Member<Result, E>
  : T extends string | number | boolean | null | WorkspaceInfo ? T
  : T extends object ? InEffect<T>
  : T
