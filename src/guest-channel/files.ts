import { Effect, type Scope, Stream } from "effect"
import type { ChannelFailed } from "../contract/errors.ts"
import type { Connection } from "./connection.ts"
import type { GuestString } from "./control.ts"
import type { AgentCallFailed } from "./errors.ts"
import { flows, HostMessage, type Message, type OpenerKind, WriteFlag } from "./messages.ts"
import {
  awaitEnd,
  DEFAULT_WINDOW_BYTES,
  newStreamId,
  openStream,
  operationFailed,
  operationUnencodable
} from "./open.ts"
import { piecesOf } from "./pieces.ts"
import { Violation } from "./violation.ts"
import { WalkDecoder, type WalkEntry } from "./walk.ts"

type Failure = AgentCallFailed | ChannelFailed

/** A path beneath a root directory of the guest. What leads out of the root, links included, is refused (EXDEV). */
export interface GuestPath {
  readonly root: GuestString
  readonly path: GuestString
}

export interface ReadRequest extends GuestPath {
  /** First byte. @default 0 */
  readonly offset?: number | undefined
  /** Bytes at most; 0 = to the end. @default 0 */
  readonly limit?: number | undefined
}

export interface WriteRequest extends GuestPath {
  readonly mode: number
  /** Makes missing directories above it. @default false */
  readonly createParents?: boolean | undefined
  /** Fails (EEXIST) when it is there already. @default false */
  readonly exclusive?: boolean | undefined
  /** @default false */
  readonly append?: boolean | undefined
}

export interface WalkRequest extends GuestPath {
  /** Levels below the walked directory, 1 = its own entries; 0 = all. @default 0 */
  readonly maxDepth?: number | undefined
}

/** A connection to a port of the guest's own loopback. */
export interface GuestSocket {
  readonly received: Stream.Stream<Uint8Array, ChannelFailed>
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, ChannelFailed>
  /** Ends what this side sends; the other may go on. */
  readonly end: Effect.Effect<void, ChannelFailed>
}

const id = () => Buffer.from(newStreamId(), "hex")
const window = DEFAULT_WINDOW_BYTES

const open = <A>(
  connection: Connection,
  operation: OpenerKind,
  message: Message<A>,
  fields: A
) =>
  openStream(connection, { message, fields, begin: { window, ...flows[operation] } }, {
    after: [],
    unencodable: operationUnencodable(operation),
    refused: operationFailed(operation)
  }).pipe(Effect.map(({ stream }) => stream))

/** Content of a file, read as the consumer asks for it. */
export const read = (connection: Connection, request: ReadRequest): Stream.Stream<Uint8Array, Failure> =>
  Stream.unwrapScoped(
    Effect.suspend(() => {
      const fields = {
        id: id(),
        window,
        root: request.root,
        path: request.path,
        offset: request.offset ?? 0,
        limit: request.limit ?? 0
      }
      return open(connection, "read", HostMessage.Read, fields)
    }).pipe(
      Effect.map((stream) =>
        Stream.concat(piecesOf(stream, ({ bytes }) => bytes), Stream.execute(awaitEnd(stream, "read")))
      )
    )
  )

/** Writes a file as a whole or not at all: it appears under its name once all of `content` is there. */
export const write = <E, R>(
  connection: Connection,
  request: WriteRequest,
  content: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<void, E | Failure, R> =>
  Effect.scoped(Effect.gen(function*() {
    const flags = (request.createParents === true ? WriteFlag.createParents : 0) |
      (request.exclusive === true ? WriteFlag.exclusive : 0) | (request.append === true ? WriteFlag.append : 0)
    const { mode, path, root } = request
    const stream = yield* open(connection, "write", HostMessage.Write, { id: id(), root, path, mode, flags })
    const ended = awaitEnd(stream, "write")
    const sent = Stream.runForEach(content, (bytes) => stream.input.write(bytes)).pipe(
      Effect.andThen(Effect.suspend(() => stream.input.end()))
    )
    // A full disk is told at once, not after all of the content.
    yield* Effect.raceFirst(Effect.andThen(sent, ended), ended)
  }))

/** The entries of a tree, parents before children. A record that cannot be read ends the channel. */
export const walk = (connection: Connection, request: WalkRequest): Stream.Stream<WalkEntry, Failure> =>
  Stream.unwrapScoped(
    Effect.suspend(() => {
      const fields = {
        id: id(),
        window,
        root: request.root,
        path: request.path,
        maxDepth: request.maxDepth ?? 0,
        flags: 0
      }
      return open(connection, "walk", HostMessage.Walk, fields)
    }).pipe(
      Effect.map((stream) => {
        const decoder = new WalkDecoder()
        const checked = <A>(decode: () => A) =>
          Effect.suspend((): Effect.Effect<A, ChannelFailed> => {
            try {
              return Effect.succeed(decode())
            } catch (error) {
              if (!(error instanceof Violation)) throw error
              connection.fail(`the guest broke the protocol: ${error.message}`)
              return Effect.fail(connection.failure!)
            }
          })
        return piecesOf(stream, ({ bytes }) => bytes).pipe(
          Stream.mapEffect((bytes) => checked(() => decoder.push(bytes))),
          Stream.flattenIterables,
          Stream.concat(Stream.execute(Effect.andThen(awaitEnd(stream, "walk"), checked(() => decoder.end()))))
        )
      })
    )
  )

/** Connects to a port on the guest's loopback; closing the scope closes the connection. */
export const connectPort = (
  connection: Connection,
  request: { readonly port: number; readonly family?: 4 | 6 | undefined }
): Effect.Effect<GuestSocket, Failure, Scope.Scope> =>
  Effect.suspend(() => {
    const fields = { id: id(), window, family: request.family ?? 4, port: request.port }
    return open(connection, "connect", HostMessage.Connect, fields)
  }).pipe(
    Effect.map((stream) => ({
      received: piecesOf(stream, ({ bytes }) => bytes),
      write: (bytes) => stream.input.write(bytes),
      end: Effect.suspend(() => stream.input.end())
    }))
  )
