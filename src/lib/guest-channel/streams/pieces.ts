import { Array as Arr, Cause, Effect, Stream } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { ProcessOutput } from "../model/process.ts"
import type { GuestStream } from "./stream.ts"

const pulled = <A>(stream: GuestStream, each: (pieces: Arr.NonEmptyArray<ProcessOutput>) => Arr.NonEmptyArray<A>) =>
  Stream.fromPull(Effect.succeed(
    Effect.flatMap(stream.pull, (pieces) => pieces === undefined ? Cause.done() : Effect.succeed(each(pieces)))
  ))

/** Output of a stream in the order of arrival. Each request acknowledges the earlier pieces. */
export const piecesOf = (stream: GuestStream): Stream.Stream<ProcessOutput, ChannelFailed> =>
  pulled(stream, (pieces) => pieces)

/** The same without positions, of a stream with one output. */
export const bytesOf = (stream: GuestStream): Stream.Stream<Uint8Array, ChannelFailed> =>
  pulled(stream, Arr.map(({ bytes }) => bytes))

/**
 * Runs `f` for each piece, in order. The piece is acknowledged once `f` asks for the next ones. A `Stream` takes some 40 MiB more memory for
 * 64 MiB of output: V8 keeps its buffers until a full collection. `take` gets each piece first, without a fiber, and refuses a piece that it
 * cannot take at once.
 */
export const forEachPiece = <E, R>(
  stream: GuestStream,
  f: (piece: ProcessOutput) => Effect.Effect<unknown, E, R>,
  take?: (piece: ProcessOutput) => boolean
): Effect.Effect<void, ChannelFailed | E, R> => {
  const pull = take === undefined ? stream.pull : stream.pullUntaken(take)
  const step: Effect.Effect<void, ChannelFailed | E, R> = Effect.flatMap(pull, (pieces) =>
    pieces === undefined
      ? Effect.void
      : Effect.andThen(Effect.forEach(pieces, f, { discard: true }), Effect.suspend(() => step)))
  return step
}
