import { Effect, Stream } from "effect"
import type { ChannelFailed, FileRefused, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { FileEntry, FileList, FileListPayload } from "../../../contract/rows/workspace-file.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import {
  componentsOf,
  guestFiles,
  type GuestTree,
  pathOf,
  type WorkspacePath,
  workspacePath,
  workspaceTree
} from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { WalkEntry } from "../../../lib/guest-channel/model/files.ts"
import { asked, fileFailure, modeText } from "./open.ts"

/** Maximum entries to count: a guest can make any number of directories. */
export const MAX_WALKED = 1_000_000

/** Maximum milliseconds of a Date, on either side of the epoch. */
const MAX_DATE_MS = 8_640_000_000_000_000n

/** Time of a file for JSON. */
export const modifiedAt = (mtimeNs: bigint) => {
  // Times before 1970 are in two's complement.
  const ms = BigInt.asIntN(64, mtimeNs) / 1_000_000n
  return ms > -MAX_DATE_MS && ms < MAX_DATE_MS ? { modifiedAt: new Date(Number(ms)).toISOString() } : {}
}

/** The path of an entry of a directory, for people and JSON. */
export const shownIn = (directory: WorkspacePath, tree: GuestTree) => {
  const above = componentsOf(directory.bytes)
  return (path: Uint8Array) => pathOf([...above, ...componentsOf(path)], tree).text
}

const entryOf =
  (shown: (path: Uint8Array) => string) => ({ linkTarget, mode, mtimeNs, path, size, type }: WalkEntry): FileEntry => ({
    path: shown(path),
    type,
    sizeBytes: size,
    mode: modeText(mode),
    ...modifiedAt(mtimeNs),
    ...(type === "symlink" ? { target: pathText(linkTarget) } : {})
  })

/** Part of a tree to list. */
type Listing = Pick<FileListPayload, "path" | "recursive" | "depth" | "limit" | "user">

const levels = ({ depth, recursive }: Pick<Listing, "depth" | "recursive">) => depth ?? (recursive ? 0 : 1)

/** Lists a directory of a guest's files. Holds at most about twice the limit, for any answer of the guest. */
export const listFiles = (
  channel: GuestChannel,
  payload: Listing,
  tree: GuestTree = guestFiles()
): Effect.Effect<FileList, ChannelFailed | FileRefused | InvalidRequest> =>
  Effect.flatMap(workspacePath(payload.path, tree), (directory) => listDirectory(channel, directory, payload, tree))

/** Lists a directory beneath a tree's root. */
export const listDirectory = (
  channel: GuestChannel,
  directory: WorkspacePath,
  listing: Omit<Listing, "path" | "user"> & Partial<Pick<Listing, "user">>,
  tree: GuestTree = workspaceTree
): Effect.Effect<FileList, ChannelFailed | FileRefused> =>
  Effect.gen(function*() {
    const kept = new UpperEntries(listing.limit)
    yield* channel.walk({ ...asked(directory, tree), user: listing.user, maxDepth: levels(listing) }).pipe(
      Stream.take(MAX_WALKED + 1),
      Stream.runForEachArray((entries) =>
        Effect.sync(() => {
          for (const entry of entries) kept.add(entry)
        })
      ),
      Effect.catchTag("AgentCallFailed", (failure) => fileFailure(directory.text, tree)(failure))
    )
    const entries = kept.sorted()
    return {
      path: directory.text,
      entries: entries.map(entryOf(shownIn(directory, tree))),
      truncated: entries.length < kept.seen,
      ...(kept.seen > MAX_WALKED ? {} : { total: kept.seen })
    }
  })

/** Maximum bytes of names: as JSON, they fit a message of 16 MiB. */
const MAX_NAME_BYTES = 2_097_152

interface Ranked {
  readonly entry: WalkEntry
  readonly depth: number
}

const nameBytes = ({ linkTarget, path }: WalkEntry) => path.length + linkTarget.length

const depthOf = (path: Uint8Array) => {
  let depth = 0
  for (const byte of path) if (byte === 0x2f) depth++
  return depth
}

const byPath = (a: Ranked, b: Ranked) => Buffer.compare(a.entry.path, b.entry.path)
const byDepth = (a: Ranked, b: Ranked) => a.depth - b.depth || byPath(a, b)

/**
 * Keeps the highest entries of a walk, and the first ones of a level: at most `limit`, and at most 2 MiB of names. So a large, deep
 * directory does not displace entries above it.
 */
export class UpperEntries {
  readonly #limit: number
  #kept: Array<Ranked> = []
  #keptBytes = 0
  /** After the first removal, entries that rank lower stay out. */
  #worst: Ranked | undefined
  seen = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(entry: WalkEntry) {
    this.seen++
    const ranked = { entry, depth: depthOf(entry.path) }
    if (this.#worst !== undefined && byDepth(ranked, this.#worst) > 0) return
    this.#kept.push({
      depth: ranked.depth,
      entry: { ...entry, path: copy(entry.path), linkTarget: copy(entry.linkTarget) }
    })
    this.#keptBytes += nameBytes(entry)
    if (this.#kept.length > 2 * this.#limit + 1_000 || this.#keptBytes > 2 * MAX_NAME_BYTES) this.#prune()
  }

  #prune() {
    this.#kept.sort(byDepth)
    let bytes = 0
    const fitting = this.#kept.findIndex(({ entry }, index) =>
      index >= this.#limit || (bytes += nameBytes(entry)) > MAX_NAME_BYTES
    )
    if (fitting === -1) return
    this.#kept.length = fitting
    this.#keptBytes = this.#kept.reduce((sum, { entry }) => sum + nameBytes(entry), 0)
    this.#worst = this.#kept.at(-1)
  }

  /** The kept entries, in the byte order of their paths. */
  sorted(): ReadonlyArray<WalkEntry> {
    this.#prune()
    return this.#kept.sort(byPath).map(({ entry }) => entry)
  }
}

/** Names are views of whole socket chunks. */
const copy = (bytes: Uint8Array) => Uint8Array.from(bytes)
