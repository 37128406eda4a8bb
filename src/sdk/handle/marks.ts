import { type Effect, Sink } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { ByteSink } from "../promises/common.ts"
import type { Member } from "./in-effect.ts"

// Marks for the promise form, which src/sdk/promises/promised.ts makes of the Effect form. Programs of Effect do not see them.

/** A handle or a group of its methods. Other objects are data. */
export const HANDLE = Symbol("pyro.handle")

/** Work of `await using` beside the end of the Scope. */
export const DISPOSE = Symbol("pyro.dispose")

/** How the signal of the call that made a handle later ends the work of the handle. */
export const ABORT = Symbol("pyro.abort")

/** Work that a signal ends, until `ended` is done. */
export interface Abortable {
  readonly end: Effect.Effect<unknown, PyroError>
  readonly ended: Effect.Effect<unknown>
}

/** The two halves of a sink, for a stream of the web. */
export const HALVES = Symbol("pyro.halves")

/** `name`: what stacks of rejections call the handle. */
export const handle = <A extends object>(name: string, methods: A, dispose?: Effect.Effect<unknown, PyroError>): A =>
  Object.defineProperties(methods, {
    [HANDLE]: { value: name },
    ...(dispose === undefined ? {} : { [DISPOSE]: { value: dispose } })
  })

export const abortable = <A extends object>(made: A, work: Abortable): A =>
  Object.defineProperty(made, ABORT, { value: work })

/** Input that ends with its sink. */
export interface Halves<E = PyroError> {
  readonly write: (piece: string | Uint8Array) => Effect.Effect<void, E>
  readonly end: Effect.Effect<void, E>
}

export const sinkOf = <E>(halves: Halves<E>): Member<ByteSink, E> =>
  Object.assign(Sink.mapEffect(Sink.forEach(halves.write), () => halves.end), { [HALVES]: halves })
