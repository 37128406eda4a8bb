import { Stream } from "effect"
import { type AgentCallFailed, EFBIG, errnoName } from "../../../guest-channel/errors.ts"
import type { GuestChannel } from "../../../guest-channel/GuestChannel.ts"
import { bytesOf } from "../../../system/files/folded-name.ts"
import type { FileContent, Gone, SourceFailed } from "./deliver.ts"
import { refusalOf, WORKSPACE_ROOT } from "./guest-path.ts"
import type { TreeEntry } from "./tree.ts"

/** Channel functions that exports use. */
export type ExportChannel = Pick<GuestChannel, "walk" | "read" | "readMany">

/** Maximum `bytes` of a file that shares a request with others: a request of its own costs the guest a process. */
const smallBytes = 128 * 1024
/** Maximum bytes of paths in one request, each with its count, and maximum number of paths. */
const requestBytes = 48 * 1024
const requestPaths = 1_000

/** Files in order, grouped by request. A file that `isAlone` shares no request. */
const groupsOf = (
  files: ReadonlyArray<TreeEntry>,
  isAlone: (file: TreeEntry) => boolean
): ReadonlyArray<ReadonlyArray<TreeEntry>> => {
  const groups: Array<Array<TreeEntry>> = []
  let open: Array<TreeEntry> = []
  let bytes = 0
  for (const file of files) {
    const small = !isAlone(file)
    bytes += file.path.length + 4
    if (open.length === 0 || !small || bytes > requestBytes || open.length === requestPaths) {
      open = [file]
      bytes = file.path.length + 4
      groups.push(open)
    } else open.push(file)
    if (!small) open = []
  }
  return groups
}

/** How the contents of a tree are read. */
export interface Reading {
  /** Directory of the guest that has the tree. @default WORKSPACE_ROOT */
  readonly from?: string | undefined
  /** Contents that were read before, by the entry's path. @default none */
  readonly held?: ReadonlyMap<string, FileContent["content"]> | undefined
  /** Bytes after which the content of a file is cut. @default its listed size */
  readonly most?: ((entry: TreeEntry) => number) | undefined
}

/** Content of each file of an exported tree, in their order. `path` is the tree's own, beneath the directory `from` of the guest. */
export const contentsOf = (
  channel: ExportChannel,
  path: string,
  entries: ReadonlyArray<TreeEntry>,
  { from = WORKSPACE_ROOT, held, most = ({ size }) => size }: Reading = {}
): Stream.Stream<FileContent, SourceFailed> => {
  const pieces = (entry: TreeEntry) => piecesOf(channel, below(path, entry), most(entry), from)
  // The entry of an exported file has no path: the file is no directory that a request for several could open.
  const isAlone = (entry: TreeEntry) => entry.path === "" || entry.size > smallBytes || held?.has(entry.path) === true
  return Stream.fromIterable(groupsOf(entries.filter(({ type }) => type === "file"), isAlone)).pipe(
    Stream.flatMap((group) => {
      const [first] = group
      return first !== undefined && isAlone(first)
        ? Stream.make({ entry: first, content: held?.get(first.path) ?? pieces(first) })
        : many(channel, path, group, { from, pieces })
    })
  )
}

/** The path of an entry beneath the directory that the export reads from. */
export const below = (path: string, entry: TreeEntry) => [path, entry.path].filter((part) => part !== "").join("/")

/** Errors of a file that is no longer the listed one. */
const gone = ["ENOENT", "ENOTDIR", "EISDIR", "EINVAL", "ELOOP", "EXDEV", "ENXIO"]

const failureOf = (path: string, failure: { readonly errno: string; readonly message: string }): SourceFailed | Gone =>
  gone.includes(failure.errno)
    ? { _tag: "Gone", reason: `it went away while being exported (${failure.errno})` }
    : refusalOf(path, failure)

const many = (
  channel: ExportChannel,
  path: string,
  group: ReadonlyArray<TreeEntry>,
  { from, pieces }: { readonly from: string; readonly pieces: (entry: TreeEntry) => FileContent["content"] }
): Stream.Stream<FileContent, SourceFailed> =>
  channel.readMany({
    root: bytesOf(path === "" ? from : `${from}${from === "/" ? "" : "/"}${path}`),
    paths: group.map((entry) => bytesOf(entry.path)),
    limit: smallBytes
  }).pipe(
    Stream.mapError((failure) => failure._tag === "AgentCallFailed" ? refusalOf(path, failure) : failure),
    Stream.zip(Stream.fromIterable(group)),
    Stream.map(([{ content, errno }, entry]): FileContent => {
      if (errno === 0) return { entry, content }
      // The file grew, maybe without an end: the export takes its listed size.
      if (errno === EFBIG) return { entry, content: pieces(entry) }
      const whole = below(path, entry)
      const message = `it cannot be read: ${errnoName(errno)}`
      return { entry, content: Stream.fail(failureOf(whole, { errno: errnoName(errno), message })) }
    })
  )

/** Content of a file up to the piece in which it exceeds its listed size, so that an endless file ends. */
const piecesOf = (
  channel: ExportChannel,
  path: string,
  size: number,
  from: string
): Stream.Stream<Uint8Array, SourceFailed | Gone> =>
  Stream.suspend(() => {
    let seen = 0
    return channel.read({ root: from, path: bytesOf(path), limit: size + 1 }).pipe(
      Stream.takeUntil((bytes) => (seen += bytes.length) > size),
      Stream.mapError((failure: AgentCallFailed | Exclude<SourceFailed, { readonly _tag: "FileRefused" }>) =>
        failure._tag === "AgentCallFailed" ? failureOf(path, failure) : failure
      )
    )
  })
