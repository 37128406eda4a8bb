import { Effect, type Scope, Stream } from "effect"
import type {
  CompareRequest,
  Difference,
  FollowedPath,
  OpenFile,
  ReadManyRequest,
  ReadRequest,
  ReadResult,
  WalkEntry,
  WalkRequest,
  WriteRequest,
  WrittenFile
} from "../model/files.ts"
import type { Connection } from "../session/connection.ts"
import { awaitEnd } from "../session/open.ts"
import {
  checked,
  type Failure,
  id,
  open,
  type RecordDecoder,
  recordsOf,
  sendInput,
  window
} from "../session/operation.ts"
import { bytesOf } from "../streams/pieces.ts"
import type { GuestStream } from "../streams/stream.ts"
import {
  CompareFlag,
  HostMessage,
  type Message,
  type OpenerKind,
  ReadFlag,
  WalkFlag,
  WriteFlag
} from "../wire/messages.ts"
import { Violation } from "../wire/violation.ts"
import { ContentDecoder, differenceDecoder, FILE_STATE_BYTES, readFileState, walkDecoder } from "./records.ts"

/** The flags of a path that the guest follows. */
const followed = (
  { inRoot, user }: FollowedPath,
  flag: { readonly inRoot: number; readonly asUser: number }
) => (inRoot === true ? flag.inRoot : 0) | (user === undefined ? 0 : flag.asUser)

const openRead = (connection: Connection, request: ReadRequest, flags: number) =>
  Effect.suspend(() => {
    const { device = false, limit = 0, offset = 0, path, root } = request
    const all = flags | (device ? ReadFlag.device : 0) | followed(request, ReadFlag)
    const fields = { id: id(), window, root, path, offset, limit, flags: all, user: request.user }
    return open(connection, "read", HostMessage.Read, fields)
  })

const contentOf = (stream: GuestStream) =>
  Stream.concat(bytesOf(stream), Stream.fromEffectDrain(awaitEnd(stream, "read")))

/** Content of a file, read as the consumer asks for it. */
export const read = (connection: Connection, request: ReadRequest): Stream.Stream<Uint8Array, Failure> =>
  Stream.unwrap(Effect.map(openRead(connection, request, 0), contentOf))

/** The first `count` bytes of a stream's output, and the bytes after them. */
const headOf = (connection: Connection, stream: GuestStream, operation: OpenerKind, count: number) => {
  const more = (held: Buffer): Effect.Effect<readonly [Buffer, Buffer], Failure> =>
    held.length >= count
      ? Effect.succeed([held.subarray(0, count), held.subarray(count)])
      : Effect.flatMap(stream.pull, (pieces): Effect.Effect<readonly [Buffer, Buffer], Failure> =>
        pieces === undefined
          ? Effect.andThen(
            awaitEnd(stream, operation),
            checked(connection, () => {
              throw new Violation(`a ${operation} that tells nothing of its file`)
            })
          )
          : more(Buffer.concat([held, ...pieces.map(({ bytes }) => bytes)])))
  return Effect.suspend(() => more(Buffer.alloc(0)))
}

/** Opens a file and returns its state. The content flows on demand. */
export const openFile = (
  connection: Connection,
  request: ReadRequest
): Effect.Effect<OpenFile, Failure, Scope.Scope> =>
  Effect.gen(function*() {
    const stream = yield* openRead(connection, request, ReadFlag.report)
    const [head, rest] = yield* headOf(connection, stream, "read", FILE_STATE_BYTES)
    const { created: _, ...state } = yield* checked(connection, () => readFileState(head))
    return {
      state,
      content: rest.length === 0 ? contentOf(stream) : Stream.concat(Stream.make(rest), contentOf(stream))
    }
  })

const writeFlags = (request: WriteRequest) =>
  (request.createParents === true ? WriteFlag.createParents : 0) |
  (request.exclusive === true ? WriteFlag.exclusive : 0) | (request.append === true ? WriteFlag.append : 0) |
  (request.follow === true ? WriteFlag.follow : 0) | followed(request, WriteFlag) |
  (request.mtimeNs === undefined ? 0 : WriteFlag.atTime)

/** Sends all of `content`, and waits until the file is in its place or the write has failed. */
const sendContent = <E, R>(
  connection: Connection,
  request: WriteRequest,
  content: Stream.Stream<Uint8Array, E, R>,
  flags: number
): Effect.Effect<GuestStream, E | Failure, R | Scope.Scope> =>
  Effect.gen(function*() {
    const { mode, mtimeNs, path, root, user } = request
    const version = request.expected === undefined ? 0n : BigInt(`0x${request.expected}`)
    const expected = mtimeNs === undefined ? version : BigInt.asUintN(64, mtimeNs)
    const fields = { id: id(), root, path, mode, flags: writeFlags(request) | flags, expected, user }
    const stream = yield* open(connection, "write", HostMessage.Write, fields)
    yield* sendInput(connection, stream, "write", content)
    return stream
  })

/** Writes a whole file or nothing: the file appears under its name after all of `content`. */
export const write = <E, R>(
  connection: Connection,
  request: WriteRequest,
  content: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<void, E | Failure, R> => Effect.asVoid(Effect.scoped(sendContent(connection, request, content, 0)))

/** The same, and returns the state of the written file. The call waits up to a tick of the guest's clock (4 ms), so that the version is unique. */
export const writeWithVersion = <E, R>(
  connection: Connection,
  request: WriteRequest,
  content: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<WrittenFile, E | Failure, R> =>
  sendContent(connection, request, content, WriteFlag.report).pipe(
    Effect.flatMap((stream) => headOf(connection, stream, "write", FILE_STATE_BYTES)),
    Effect.flatMap(([head]) => checked(connection, () => readFileState(head))),
    Effect.scoped
  )

/** The records of an operation. A record that cannot be read ends the channel. */
const recordsOfRequest = <F, A>(
  connection: Connection,
  operation: OpenerKind,
  message: Message<F>,
  fields: () => F,
  decoder: () => RecordDecoder<A>
): Stream.Stream<A, Failure> =>
  Stream.unwrap(Effect.map(
    Effect.suspend(() => open(connection, operation, message, fields())),
    (stream) => recordsOf(connection, stream, operation, decoder())
  ))

/** The entries of a tree, parents before children. */
export const walk = (connection: Connection, request: WalkRequest): Stream.Stream<WalkEntry, Failure> =>
  recordsOfRequest(connection, "walk", HostMessage.Walk, () => ({
    id: id(),
    window,
    root: request.root,
    path: request.path,
    maxDepth: request.maxDepth ?? 0,
    flags: (request.attributes === true ? WalkFlag.attributes : 0) | followed(request, WalkFlag),
    user: request.user
  }), walkDecoder)

/**
 * The differences of two trees, in the order of the bytes of their names, directories before their entries. A mount of the guest in the
 * new tree has the type `mount`, and its content is not compared.
 */
export const compare = (connection: Connection, request: CompareRequest): Stream.Stream<Difference, Failure> =>
  recordsOfRequest(connection, "compare", HostMessage.Compare, () => ({
    id: id(),
    window,
    oldRoot: request.old.root,
    oldPath: request.old.path,
    newRoot: request.new.root,
    newPath: request.new.path,
    skip: request.skip ?? "",
    flags: request.content === true ? CompareFlag.content : 0
  }), differenceDecoder)

/** One result for each path, in their order. */
export const readMany = (
  connection: Connection,
  { limit, paths, root }: ReadManyRequest
): Stream.Stream<ReadResult, Failure> =>
  recordsOfRequest(
    connection,
    "readMany",
    HostMessage.ReadMany,
    () => ({ id: id(), window, root, limit, paths }),
    () => new ContentDecoder({ files: paths.length, limit })
  )
