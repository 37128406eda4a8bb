import { Effect, Stream } from "effect"
import type { WatchRecord, WatchRequest } from "../model/files.ts"
import type { Connection } from "../session/connection.ts"
import { awaitEnd } from "../session/open.ts"
import { checked, type Failure, id, open } from "../session/operation.ts"
import { bytesOf } from "../streams/pieces.ts"
import { HostMessage, WatchFlag } from "../wire/messages.ts"
import { watchDecoder } from "./records.ts"

/** Output that the guest may be ahead of the reader, in bytes. Beyond it the guest's kernel keeps some events, and then counts a loss. */
const WINDOW_BYTES = 262_144

/**
 * Changes beneath a directory, or of a file, in batches as the guest sends them. Ends when the watched directory is gone. The end of the stream
 * ends the watch.
 */
export const watchFiles = (
  connection: Connection,
  { inRoot, path, recursive, root, user = "" }: WatchRequest
): Stream.Stream<ReadonlyArray<WatchRecord>, Failure> =>
  Stream.unwrap(Effect.map(
    Effect.suspend(() => {
      const flags = (inRoot === true ? WatchFlag.inRoot : 0) | (recursive ? WatchFlag.recursive : 0)
      const fields = { id: id(), window: WINDOW_BYTES, root, path, flags, user }
      return open(connection, "watch", HostMessage.Watch, fields, WINDOW_BYTES)
    }),
    (stream) => {
      const decoder = watchDecoder()
      return bytesOf(stream).pipe(
        Stream.mapEffect((bytes) => checked(connection, () => decoder.push(bytes))),
        Stream.filter((records) => records.length > 0),
        Stream.concat(
          Stream.fromEffectDrain(Effect.andThen(awaitEnd(stream, "watch"), checked(connection, () => decoder.end())))
        )
      )
    }
  ))
