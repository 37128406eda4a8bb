import { Effect, Option, Stream } from "effect"
import type { Copied, FileWork, WalkEntry } from "../model/files.ts"
import type { Connection } from "../session/connection.ts"
import { awaitEnd } from "../session/open.ts"
import { checked, type Failure, id, open, recordsOf, window } from "../session/operation.ts"
import { bytesOf } from "../streams/pieces.ts"
import { decodePayload, offset, struct } from "../wire/control.ts"
import { FileFlag, FileOp, HostMessage } from "../wire/messages.ts"
import { Violation } from "../wire/violation.ts"
import { walkDecoder } from "./records.ts"

const flagsOf = (work: FileWork) => {
  const inRoot = work.inRoot === true ? FileFlag.inRoot : 0
  switch (work.op) {
    case "stat":
      return inRoot | (work.follow ? FileFlag.follow : 0)
    case "mkdir":
      return inRoot | (work.createParents ? FileFlag.createParents : 0)
    case "remove":
      return inRoot | (work.recursive ? FileFlag.recursive : 0)
    case "rename":
    case "copy":
      return inRoot | FileFlag.createParents | (work.replace ? FileFlag.replace : 0)
    case "chmod":
      return inRoot
  }
}

const openWork = (connection: Connection, work: FileWork) =>
  Effect.suspend(() =>
    open(connection, "file", HostMessage.File, {
      id: id(),
      window,
      op: FileOp[work.op],
      root: work.root,
      path: work.path,
      target: "target" in work ? work.target : "",
      mode: ("mode" in work ? work.mode : undefined) ?? 0,
      flags: flagsOf(work),
      user: work.user ?? ""
    })
  )

/** Work without a result. */
export const doFileWork = (
  connection: Connection,
  work: Extract<FileWork, { readonly op: "mkdir" | "remove" | "chmod" | "rename" }>
): Effect.Effect<void, Failure> =>
  Effect.scoped(Effect.flatMap(openWork(connection, work), (stream) => awaitEnd(stream, "file"))).pipe(Effect.asVoid)

/** One file. Its path is empty. */
export const statFile = (
  connection: Connection,
  work: Omit<Extract<FileWork, { readonly op: "stat" }>, "op">
): Effect.Effect<WalkEntry, Failure> =>
  Effect.scoped(Effect.gen(function*() {
    const stream = yield* openWork(connection, { ...work, op: "stat" })
    const found = yield* Stream.runHead(recordsOf(connection, stream, "file", walkDecoder()))
    return yield* checked(connection, () => {
      if (Option.isNone(found)) throw new Violation("a file without its record")
      return found.value
    })
  }))

const copiedRecord = struct({ entries: offset, bytes: offset, skipped: offset })
const COPIED_BYTES = 24

/** Copies a file or a tree, whole or not at all. The end of the caller ends the copy. */
export const copyFile = (
  connection: Connection,
  work: Omit<Extract<FileWork, { readonly op: "copy" }>, "op">
): Effect.Effect<Copied, Failure> =>
  Effect.scoped(Effect.gen(function*() {
    const stream = yield* openWork(connection, { ...work, op: "copy" })
    const told = yield* Stream.runFold(
      bytesOf(stream),
      () => Buffer.alloc(0),
      // A guest may send any number of bytes.
      (held, bytes) => held.length > COPIED_BYTES ? held : Buffer.concat([held, bytes.subarray(0, COPIED_BYTES + 1)])
    )
    yield* awaitEnd(stream, "file")
    return yield* checked(connection, () => decodePayload(copiedRecord, told))
  }))
