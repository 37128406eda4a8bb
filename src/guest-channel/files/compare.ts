import { Effect, Stream } from "effect"
import type { Connection } from "../session/connection.ts"
import { type Difference, DifferenceDecoder } from "./difference.ts"
import type { GuestPath } from "./operations.ts"
import type { GuestString } from "../wire/control.ts"
import { CompareFlag, HostMessage } from "../wire/messages.ts"
import { type Failure, id, open, recordsOf, window } from "../session/operation.ts"
import { ContentDecoder, type ReadResult } from "./read-many.ts"

export interface CompareRequest {
  readonly old: GuestPath
  readonly new: GuestPath
  /** A name that is passed over on both sides, in any case of its letters. @default none */
  readonly skip?: string | undefined
  /** Compares the contents of files whose metadata is the same, too. @default false */
  readonly content?: boolean | undefined
}

/**
 * What differs between two trees, in the order of the bytes of their names, directories before what is in them. What the
 * guest mounted within the new tree is of type `mount`, and nothing beneath it is compared. A record that cannot be read ends the channel.
 */
export const compare = (connection: Connection, request: CompareRequest): Stream.Stream<Difference, Failure> =>
  Stream.unwrapScoped(
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

export interface ReadManyRequest {
  readonly root: GuestString
  /** Together less than a frame; no link in them is followed. */
  readonly paths: ReadonlyArray<GuestString>
  /** Most `bytes` of each; a larger file is not read. */
  readonly limit: number
}

/** One result for each path, in their order. */
export const readMany = (connection: Connection, request: ReadManyRequest): Stream.Stream<ReadResult, Failure> =>
  Stream.unwrapScoped(
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
