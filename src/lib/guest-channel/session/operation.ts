import { Effect, Stream } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { newRequestId } from "../../../system/processes/identity.ts"
import { type AgentCallFailed, violationText } from "../model/errors.ts"
import type { ProcessExit } from "../model/process.ts"
import { bytesOf } from "../streams/pieces.ts"
import type { GuestStream } from "../streams/stream.ts"
import { flows, type Message, type OpenerKind } from "../wire/messages.ts"
import { Violation } from "../wire/violation.ts"
import type { Connection } from "./connection.ts"
import {
  awaitEnd,
  DEFAULT_WINDOW_BYTES,
  isLasting,
  openStream,
  openStreamNow,
  operationFailed,
  unencodableFor
} from "./open.ts"

export type Failure = AgentCallFailed | ChannelFailed

export const id = () => Buffer.from(newRequestId(), "hex")
export const window = DEFAULT_WINDOW_BYTES

const begun = (operation: OpenerKind, windowBytes: number) => ({
  window: windowBytes,
  isRequest: !isLasting(flows[operation].kind),
  ...flows[operation]
})
const optionsOf = (operation: OpenerKind) => ({
  after: [],
  unencodable: unencodableFor(operation),
  refused: operationFailed(operation)
})

/** Opens the stream of a file operation or a connection. */
export const open = <A>(
  connection: Connection,
  operation: OpenerKind,
  message: Message<A>,
  fields: A,
  windowBytes = window
) =>
  openStream(connection, { message, fields, begin: begun(operation, windowBytes) }, optionsOf(operation)).pipe(
    Effect.map(({ stream }) => stream)
  )

/** The same in this turn of the event loop. The caller releases the stream. */
export const openNow = <A>(
  connection: Connection,
  operation: OpenerKind,
  message: Message<A>,
  fields: A,
  windowBytes: number
) => openStreamNow(connection, { message, fields, begin: begun(operation, windowBytes) }, optionsOf(operation))

/** Runs a step. A violation of the protocol ends the channel. */
export const checked = <A>(connection: Connection, decode: () => A) =>
  Effect.suspend((): Effect.Effect<A, ChannelFailed> => {
    try {
      return Effect.succeed(decode())
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      connection.fail(violationText(error.message))
      return Effect.fail(connection.failure!)
    }
  })

/** Bytes of one write. Other streams take their turn between two writes. */
const WRITE_BYTES = 131_072

/** Sends all of `content` as the input of an operation, and waits for its end. The pieces must not change afterwards. */
export const sendInput = <E, R>(
  { outbox }: Connection,
  stream: GuestStream,
  operation: OpenerKind,
  content: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<ProcessExit, E | Failure, R> => {
  const ended = awaitEnd(stream, operation)
  const write = (bytes: Uint8Array): Effect.Effect<void, ChannelFailed> => {
    const one = Effect.andThen(
      outbox.steady,
      Effect.suspend(() => stream.input.writeLent(bytes.subarray(0, WRITE_BYTES)))
    )
    return bytes.length <= WRITE_BYTES
      ? one
      : Effect.andThen(one, Effect.suspend(() => write(bytes.subarray(WRITE_BYTES))))
  }
  const sent = Stream.runForEach(content, write).pipe(
    Effect.andThen(Effect.suspend(() => stream.input.end()))
  )
  // Reports a full disk at once, and not after the whole content.
  return Effect.raceFirst(Effect.andThen(sent, ended), ended)
}

/** Cuts the bytes of a stream into records. */
export interface RecordDecoder<A> {
  /** Records that end in the chunk; throws `Violation`. */
  readonly push: (chunk: Uint8Array) => Iterable<A>
  /** Throws `Violation` within a record. */
  readonly end: () => void
}

/** The records of a stream. An invalid record ends the channel. */
export const recordsOf = <A>(
  connection: Connection,
  stream: GuestStream,
  operation: OpenerKind,
  decoder: RecordDecoder<A>
): Stream.Stream<A, Failure> =>
  bytesOf(stream).pipe(
    Stream.mapEffect((bytes) => checked(connection, () => decoder.push(bytes))),
    Stream.flattenIterable,
    Stream.concat(
      Stream.fromEffectDrain(Effect.andThen(awaitEnd(stream, operation), checked(connection, () => decoder.end())))
    )
  )
