import { Deferred, Effect, FiberId, Predicate, Stream } from "effect"
import { InvalidRequest } from "../contract/errors.ts"
import type { RunInput } from "../contract/Pyro.ts"

/** What a command reads on its stdin, whole or bit by bit, text as UTF-8. */
export type Stdin = string | Uint8Array | AsyncIterable<string | Uint8Array>

/** A command's input, and a wait that fails when the input does: its end would look to the command like the end of a whole one. */
export interface ReadInput {
  readonly input: RunInput
  readonly failed: Effect.Effect<never, InvalidRequest>
}

const wrong = (detail: string) => new InvalidRequest({ field: "stdin", detail })

const asBytes = (piece: unknown): Effect.Effect<Uint8Array, InvalidRequest> => {
  if (typeof piece === "string") return Effect.succeed(Buffer.from(piece))
  if (piece instanceof Uint8Array) return Effect.succeed(piece)
  return Effect.fail(wrong("must be a string, bytes, or an AsyncIterable of these"))
}

/** The input that a caller, who may have no types, gave; undefined for none. */
export const readInput = (stdin: Stdin | undefined): Effect.Effect<ReadInput | undefined, InvalidRequest> => {
  if (stdin === undefined) return Effect.succeed(undefined)
  if (!Predicate.hasProperty(stdin, Symbol.asyncIterator)) {
    return Effect.map(asBytes(stdin), (bytes) => ({ input: { stdin: Stream.make(bytes) }, failed: Effect.never }))
  }
  const failed = Deferred.unsafeMake<never, InvalidRequest>(FiberId.none)
  const pieces = Stream.fromAsyncIterable(
    stdin,
    (cause) => wrong(`could not be read: ${Predicate.isError(cause) ? cause.message : String(cause)}`)
  ).pipe(
    Stream.mapEffect(asBytes),
    Stream.catchAll((failure) => Stream.concat(Stream.execute(Deferred.fail(failed, failure)), Stream.never))
  )
  return Effect.succeed({ input: { stdin: pieces }, failed: Deferred.await(failed) })
}
