import { Effect, Stream } from "effect"
import type { FileChange } from "../model/files.ts"
import type { GuestString } from "../model/guest-string.ts"
import type { Connection } from "../session/connection.ts"
import { type Failure, id, open, sendInput } from "../session/operation.ts"
import { HostMessage } from "../wire/messages.ts"

/**
 * Changes many files beneath `root`: removes the taken files, then puts every file in its place, with the directories that it needs.
 * Directories that become empty go. The guest writes new content first, beside the other files. If a step fails (a full disk, a file that
 * changed meanwhile), the guest undoes the steps before, and nothing has changed.
 */
export const changeFiles = (
  connection: Connection,
  root: GuestString,
  changes: ReadonlyArray<FileChange>
): Effect.Effect<void, Failure> =>
  Effect.scoped(Effect.gen(function*() {
    const stream = yield* open(connection, "change", HostMessage.Change, { id: id(), root })
    yield* sendInput(connection, stream, "change", Stream.fromIterable(pieces(changes)))
  }))

const kinds = { take: 1, file: 2, link: 3, move: 4 } as const

/** Written together, so that many small changes are few frames. */
const PIECE_BYTES = 32 * 1024

function* pieces(changes: ReadonlyArray<FileChange>): Generator<Uint8Array, void> {
  let held: Array<Uint8Array> = []
  let size = 0
  for (const change of changes) {
    for (const bytes of encoded(change)) {
      held.push(bytes)
      size += bytes.length
      if (size < PIECE_BYTES) continue
      yield held.length === 1 ? bytes : Buffer.concat(held)
      held = []
      size = 0
    }
  }
  if (size > 0) yield Buffer.concat(held)
}

function* encoded(change: FileChange): Generator<Uint8Array, void> {
  const head = [Buffer.of(kinds[change._tag]), number(change.path.length, 4), change.path]
  switch (change._tag) {
    case "take": {
      const { ctimeNs, ino, mtimeNs, size } = change.seen
      yield* [...head, number(ino, 8), number(size, 8), number(mtimeNs, 8), number(ctimeNs, 8)]
      return
    }
    case "file":
      if ("pieces" in change.content) {
        yield* [...head, ...place(change), number(change.content.size, 8)]
        yield* change.content.pieces()
      } else yield* [...head, ...place(change), number(change.content.length, 8), change.content]
      return
    case "link":
      yield* [...head, number(change.target.length, 4), change.target]
      return
    case "move":
      yield* [...head, ...place(change)]
  }
}

const place = (change: { readonly mode: number | undefined; readonly taken: number | undefined }) => [
  number(change.mode ?? 0, 4),
  number(change.taken === undefined ? 0 : change.taken + 1, 4)
]

const number = (value: number | bigint, bytes: 4 | 8) => {
  const to = Buffer.alloc(bytes)
  if (bytes === 4) to.writeUInt32BE(Number(value))
  else to.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)))
  return to
}
