import { Effect, Stream } from "effect"
import type { ChannelFailed } from "../../contract/errors/errors.ts"
import type { Connection } from "../session/connection.ts"
import type { AgentCallFailed } from "../errors.ts"
import { awaitEnd } from "../session/open.ts"
import { forEachPiece, piecesOf } from "../streams/pieces.ts"
import type { GuestStream } from "../streams/stream.ts"
import type { OpenerKind } from "../wire/messages.ts"

/** A TCP connection of the guest. The end of its Scope resets a connection that is still open. */
export interface GuestSocket {
  /** Bytes that the guest's end sends. Ends at its FIN, fails at its reset. */
  readonly received: Stream.Stream<Uint8Array, AgentCallFailed | ChannelFailed>
  /**
   * The same for each piece in turn, without what a `Stream` costs. `take` gets each piece first, in the turn of its arrival, and leaves a
   * piece to `f` by `false`.
   */
  readonly forEachReceived: <E>(
    f: (bytes: Uint8Array) => Effect.Effect<void, E>,
    take?: (bytes: Uint8Array) => boolean
  ) => Effect.Effect<void, AgentCallFailed | ChannelFailed | E>
  /**
   * Waits while the guest's end does not read. Ends well when the connection is over; `closed` tells how. Nobody may change the bytes
   * afterwards.
   */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, ChannelFailed>
  /** Ends the sending of this side. The other side may continue. */
  readonly end: Effect.Effect<void, ChannelFailed>
  /** Waits until both sides have ended. Fails at a reset by the guest's end. */
  readonly closed: Effect.Effect<void, AgentCallFailed | ChannelFailed>
}

/** Bytes of one write: half of what Node reads at a time. Other streams take their turn between two writes. */
const WRITE_BYTES = 32_768

/** The connection behind a stream that has started. */
export const socketOf = (connection: Connection, stream: GuestStream, operation: OpenerKind): GuestSocket => {
  const closed = Effect.asVoid(awaitEnd(stream, operation))
  const write = (bytes: Uint8Array): Effect.Effect<void, ChannelFailed> =>
    bytes.length === 0 ? Effect.void : connection.outbox.calm.pipe(
      Effect.andThen(Effect.suspend(() => stream.input.writeLent(bytes.subarray(0, WRITE_BYTES)))),
      Effect.andThen(Effect.suspend(() => write(bytes.subarray(WRITE_BYTES))))
    )
  const ended = Effect.suspend(() => stream.hasEndedOutput ? Effect.void : closed)
  return {
    received: Stream.concat(piecesOf(stream, ({ bytes }) => bytes), Stream.execute(ended)),
    forEachReceived: (f, take) => Effect.zipRight(forEachPiece(stream, ({ bytes }) => bytes, f, take), ended),
    write,
    end: Effect.suspend(() => stream.input.end()),
    closed
  }
}
