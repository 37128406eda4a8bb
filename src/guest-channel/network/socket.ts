import { Effect, type Scope, Stream } from "effect"
import type { ChannelFailed } from "../../contract/errors/errors.ts"
import type { GuestSocket, PortRequest } from "../network.ts"
import type { Connection } from "../session/connection.ts"
import { awaitEnd } from "../session/open.ts"
import { type Failure, id, open, window } from "../session/operation.ts"
import { forEachPiece, piecesOf } from "../streams/pieces.ts"
import type { GuestStream } from "../streams/stream.ts"
import { HostMessage, type OpenerKind } from "../wire/messages.ts"

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
    received: Stream.concat(piecesOf(stream, ({ bytes }) => bytes), Stream.fromEffectDrain(ended)),
    forEachReceived: (f, take) => Effect.andThen(forEachPiece(stream, ({ bytes }) => bytes, f, take), ended),
    write,
    end: Effect.suspend(() => stream.input.end()),
    closed
  }
}

/** Connects to a port on the guest's loopback. */
export const connectPort = (
  connection: Connection,
  request: PortRequest
): Effect.Effect<GuestSocket, Failure, Scope.Scope> =>
  Effect.suspend(() => {
    const { family = 4, port, windowBytes = window } = request
    return open(
      connection,
      "connect",
      HostMessage.Connect,
      { id: id(), window: windowBytes, family, port },
      windowBytes
    )
  }).pipe(
    Effect.map((stream) => socketOf(connection, stream, "connect"))
  )
