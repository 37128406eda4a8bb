import { Cause, Deferred, Effect, Predicate, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { halfCharacterIn } from "../../contract/errors/half-character.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"

/** Stdin of a command, whole or in pieces, text as UTF-8. */
export type Stdin = string | Uint8Array | AsyncIterable<string | Uint8Array>

/** The same in a program of Effect. */
export type EffectStdin = Stdin | Stream.Stream<string | Uint8Array, unknown>

/** A command's input, and an effect that fails if the input fails: the command would take the failure for the end of the input. */
interface ReadInput {
  readonly input: RunInput
  readonly failed: Effect.Effect<never, InvalidRequest>
}

const wrong = (detail: string) => new InvalidRequest({ field: "stdin", detail })

const asBytes = (piece: unknown): Effect.Effect<Uint8Array, InvalidRequest> =>
  pieceOf(piece, "stdin", "a string, bytes, or an AsyncIterable of these")

/** A piece of input of a caller without types. */
export const pieceOf = (
  piece: unknown,
  field: string,
  expected = "a string or bytes"
): Effect.Effect<Uint8Array, InvalidRequest> => {
  if (piece instanceof Uint8Array) return Effect.succeed(piece)
  if (typeof piece !== "string") return Effect.fail(new InvalidRequest({ field, detail: `must be ${expected}` }))
  const refused = halfCharacterIn({ [field]: piece })
  return refused === undefined ? Effect.succeed(Buffer.from(piece)) : Effect.fail(refused)
}

const unread = (cause: unknown) =>
  wrong(`could not be read: ${Predicate.isError(cause) ? cause.message : String(cause)}`)

/** Not `Stream.fromAsyncIterable`: its end waits for the iterable, and a pipe without a writer never answers. */
const piecesOf = (stdin: AsyncIterable<unknown>): Stream.Stream<unknown, InvalidRequest> =>
  Stream.unwrap(Effect.map(
    Effect.acquireRelease(
      Effect.try({ try: () => stdin[Symbol.asyncIterator](), catch: unread }),
      (iterator) => Effect.sync(() => void Promise.resolve().then(() => iterator.return?.()).catch(() => {}))
    ),
    (iterator) =>
      Stream.fromEffectRepeat(Effect.flatMap(
        Effect.tryPromise({ try: () => iterator.next(), catch: unread }),
        ({ done, value }) => done === true ? Cause.done() : Effect.succeed(value as unknown)
      ))
  ))

/** The caller's input, also from a caller without types. `undefined` for none. */
export const readInput = (stdin: EffectStdin | undefined): Effect.Effect<ReadInput | undefined, InvalidRequest> => {
  if (stdin === undefined) return Effect.succeed(undefined)
  if (!Stream.isStream(stdin) && !Predicate.hasProperty(stdin, Symbol.asyncIterator)) {
    return Effect.map(asBytes(stdin), (bytes) => ({ input: { stdin: Stream.make(bytes) }, failed: Effect.never }))
  }
  const failed = Deferred.makeUnsafe<never, InvalidRequest>()
  const given = Stream.isStream(stdin) ? Stream.mapError(stdin, unread) : piecesOf(stdin)
  const pieces = given.pipe(
    Stream.mapEffect(asBytes),
    Stream.catch((failure) => Stream.concat(Stream.fromEffectDrain(Deferred.fail(failed, failure)), Stream.never))
  )
  return Effect.succeed({ input: { stdin: pieces }, failed: Deferred.await(failed) })
}
