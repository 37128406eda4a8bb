import { Effect, Stream } from "effect"
import type { CompareRequest, Difference, ReadManyRequest, ReadResult } from "../files.ts"
import type { Connection } from "../session/connection.ts"
import { type Failure, id, open, recordsOf, window } from "../session/operation.ts"
import { CompareFlag, HostMessage } from "../wire/messages.ts"
import { DifferenceDecoder } from "./difference.ts"
import { ContentDecoder } from "./read-many.ts"

/**
 * What differs between two trees, in the order of the bytes of their names, directories before what is in them. What the
 * guest mounted within the new tree is of type `mount`, and nothing beneath it is compared. A record that cannot be read ends the channel.
 */
export const compare = (connection: Connection, request: CompareRequest): Stream.Stream<Difference, Failure> =>
  Stream.unwrap(
    Effect.suspend(() => {
      const fields = {
        id: id(),
        window,
        oldRoot: request.old.root,
        oldPath: request.old.path,
        newRoot: request.new.root,
        newPath: request.new.path,
        skip: request.skip ?? "",
        flags: request.content === true ? CompareFlag.content : 0
      }
      return open(connection, "compare", HostMessage.Compare, fields)
    }).pipe(
      Effect.map((stream) => recordsOf(connection, stream, "compare", new DifferenceDecoder()))
    )
  )

/** One result for each path, in their order. */
export const readMany = (connection: Connection, request: ReadManyRequest): Stream.Stream<ReadResult, Failure> =>
  Stream.unwrap(
    Effect.suspend(() => {
      const { limit, paths, root } = request
      return open(connection, "readMany", HostMessage.ReadMany, { id: id(), window, root, limit, paths })
    }).pipe(
      Effect.map((stream) =>
        recordsOf(
          connection,
          stream,
          "readMany",
          new ContentDecoder({ files: request.paths.length, limit: request.limit })
        )
      )
    )
  )
