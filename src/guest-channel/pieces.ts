import { Chunk, Effect, Option, Stream } from "effect"
import type { ChannelFailed } from "../contract/errors.ts"
import type { Piece } from "./output-queue.ts"
import type { GuestStream } from "./stream.ts"

/** Output of a stream in the order of arrival; asking for more acknowledges what was taken before. */
export const piecesOf = <A>(stream: GuestStream, each: (piece: Piece) => A): Stream.Stream<A, ChannelFailed> =>
  Stream.repeatEffectChunkOption(Effect.matchEffect(stream.pull, {
    onFailure: (failure) => Effect.fail(Option.some(failure)),
    onSuccess: (pieces) =>
      pieces === undefined
        ? Effect.fail(Option.none())
        : Effect.succeed(Chunk.unsafeFromArray(pieces.map(each)))
  }))
