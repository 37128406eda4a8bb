import { Effect, Stream } from "effect"
import type { ChannelFailed, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { FileEntry, FileList } from "../../../contract/rows/workspace-file.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import type { WalkEntry } from "../../../guest-channel/files.ts"
import { type GuestTree, type WorkspacePath, workspacePath, workspaceTree } from "../../../guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { fileFailure, modeText } from "./failures.ts"
import { UpperEntries } from "./upper-entries.ts"

/** Maximum entries to count: a guest can make any number of directories. */
export const MAX_WALKED = 1_000_000

/** Maximum milliseconds of a Date, on either side of the epoch. */
const MAX_DATE_MS = 8_640_000_000_000_000n

const modifiedAt = (mtimeNs: bigint) => {
  // Times before 1970 are in two's complement.
  const ms = BigInt.asIntN(64, mtimeNs) / 1_000_000n
  return ms > -MAX_DATE_MS && ms < MAX_DATE_MS ? { modifiedAt: new Date(Number(ms)).toISOString() } : {}
}

const entryOf = (prefix: Uint8Array) => ({ linkTarget, mode, mtimeNs, path, size, type }: WalkEntry): FileEntry => ({
  path: pathText(Buffer.concat([prefix, path])),
  type,
  sizeBytes: size,
  mode: modeText(mode),
  ...modifiedAt(mtimeNs),
  ...(type === "symlink" ? { target: pathText(linkTarget) } : {})
})

/** Part of a tree to list. */
export interface Listing {
  readonly path: string
  readonly recursive: boolean
  readonly depth?: number | undefined
  readonly limit: number
}

const levels = ({ depth, recursive }: Omit<Listing, "path">) => depth ?? (recursive ? 0 : 1)

/** Lists a directory beneath /workspace. Holds at most about twice the limit, for any answer of the guest. */
export const listFiles = (
  channel: GuestChannel,
  payload: Listing
): Effect.Effect<FileList, ChannelFailed | FileRefused | InvalidRequest> =>
  Effect.flatMap(workspacePath(payload.path), (directory) => listDirectory(channel, directory, payload))

/** Lists a directory beneath a tree's root. */
export const listDirectory = (
  channel: GuestChannel,
  directory: WorkspacePath,
  listing: Omit<Listing, "path">,
  tree: GuestTree = workspaceTree
): Effect.Effect<FileList, ChannelFailed | FileRefused> =>
  Effect.gen(function*() {
    const kept = new UpperEntries(listing.limit)
    yield* channel.walk({ root: tree.root, path: directory.bytes, maxDepth: levels(listing) }).pipe(
      Stream.take(MAX_WALKED + 1),
      Stream.runForEachArray((entries) =>
        Effect.sync(() => {
          for (const entry of entries) kept.add(entry)
        })
      ),
      Effect.catchTag("AgentCallFailed", (failure) => fileFailure(directory.text, tree)(failure))
    )
    const entries = kept.sorted()
    const above = Buffer.from(tree.shown === "/" ? "/" : "")
    const isRoot = Buffer.from(directory.bytes).equals(Buffer.from("."))
    const prefix = isRoot ? above : Buffer.concat([above, directory.bytes, Buffer.from("/")])
    return {
      path: directory.text,
      entries: entries.map(entryOf(prefix)),
      truncated: entries.length < kept.seen,
      ...(kept.seen > MAX_WALKED ? {} : { total: kept.seen })
    }
  })
