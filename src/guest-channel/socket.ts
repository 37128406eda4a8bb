import { Effect, Stream } from "effect"
import type { ChannelFailed } from "../contract/errors.ts"
import type { Connection } from "./connection.ts"
import type { AgentCallFailed } from "./errors.ts"
import type { OpenerKind } from "./messages.ts"
import { awaitEnd } from "./open.ts"
import { piecesOf } from "./pieces.ts"
import type { GuestStream } from "./stream.ts"

/** A TCP connection of the guest. The end of its Scope resets a connection that is still open. */
export interface GuestSocket {
  /** Bytes that the guest's end sends. Ends at its FIN, fails at its reset. */
  readonly received: Stream.Stream<Uint8Array, AgentCallFailed | ChannelFailed>
  /** Waits while the guest's end does not read. Ends well when the connection is over; `closed` tells how. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, ChannelFailed>
  /** Ends the sending of this side. The other side may continue. */
  readonly end: Effect.Effect<void, ChannelFailed>
  /** Waits until both sides have ended. Fails at a reset by the guest's end. */
  readonly closed: Effect.Effect<void, AgentCallFailed | ChannelFailed>
}

/** Bytes of one write. Other streams take their turn between two writes. */
const WRITE_BYTES = 65_536

/** The connection behind a stream that has started. */
export const socketOf = (connection: Connection, stream: GuestStream, operation: OpenerKind): GuestSocket => {
  const closed = Effect.asVoid(awaitEnd(stream, operation))
  const write = (bytes: Uint8Array): Effect.Effect<void, ChannelFailed> =>
    bytes.length === 0 ? Effect.void : connection.outbox.calm.pipe(
      Effect.andThen(Effect.suspend(() => stream.input.write(bytes.subarray(0, WRITE_BYTES)))),
      Effect.andThen(Effect.suspend(() => write(bytes.subarray(WRITE_BYTES))))
    )
  return {
    received: Stream.concat(
      piecesOf(stream, ({ bytes }) => bytes),
      Stream.execute(Effect.suspend(() => stream.hasEndedOutput ? Effect.void : closed))
    ),
    write,
    end: Effect.suspend(() => stream.input.end()),
    closed
  }
}
