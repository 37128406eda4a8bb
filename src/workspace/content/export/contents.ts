import { Effect, Stream } from "effect"
import { type ChannelFailed, FileRefused } from "../../../contract/errors/errors.ts"
import { sizeText } from "../../../contract/text/host-file-notes.ts"
import type { EntryContent, Gone, SourceFailed } from "../../../lib/exporting/deliver.ts"
import { shown } from "../../../lib/exporting/names.ts"
import type { TreeEntry } from "../../../lib/exporting/tree.ts"
import { wholeGuest } from "../../../lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { type AgentCallFailed, EFBIG, errnoName } from "../../../lib/guest-channel/model/errors.ts"
import { bytesOf } from "../../../system/files/folded-name.ts"
import { batchesOf } from "../batches.ts"
import { COUNT_BYTES, requestLimits } from "../diff/contents.ts"
import { refusalOf, WORKSPACE_ROOT } from "./guest-path.ts"

/** Channel functions that exports use. */
export type ExportChannel = Pick<GuestChannel, "walk" | "read" | "readMany">

/** Maximum bytes of a file that shares a request with others: a separate request costs the guest a process. */
const smallBytes = 128 * 1024

/** How to read the contents of a tree. */
interface Reading {
  /** Directory of the guest that contains the tree. @default WORKSPACE_ROOT */
  readonly from?: string | undefined
  /** Contents in memory, by the entry's path. @default none */
  readonly buffered?: Buffered | undefined
  /** Maximum bytes of a file's content. The rest is cut. @default its listed size */
  readonly most?: ((entry: TreeEntry) => number) | undefined
}

/** Content of each file of an exported tree, in their order. `path` is the tree's own, beneath the directory `from` of the guest. */
export const contentsOf = (
  channel: ExportChannel,
  path: string,
  entries: ReadonlyArray<TreeEntry>,
  { from = WORKSPACE_ROOT, buffered, most = ({ size }) => size }: Reading = {}
): Stream.Stream<EntryContent, SourceFailed> => {
  const pieces = (entry: TreeEntry) => piecesOf(channel, below(path, entry), most(entry), from)
  // A single exported file has an empty path, which a request for several files cannot open.
  const isAlone = (entry: TreeEntry) =>
    entry.path === "" || entry.size > smallBytes || buffered?.has(entry.path) === true
  const files = entries.filter(({ type }) => type === "file")
  const groups = batchesOf(files, (file) => file.path.length + COUNT_BYTES, { ...requestLimits, isAlone })
  return Stream.fromIterable(groups).pipe(
    Stream.flatMap((group) => {
      const [first] = group
      return first !== undefined && isAlone(first)
        ? Stream.make({ entry: first, content: buffered?.get(first.path) ?? pieces(first) })
        : many(channel, path, group, { from, pieces })
    })
  )
}

/** The path of an entry beneath the directory that the export reads from. */
const below = (path: string, entry: TreeEntry) => [path, entry.path].filter((part) => part !== "").join("/")

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
  { from, pieces }: { readonly from: string; readonly pieces: (entry: TreeEntry) => EntryContent["content"] }
): Stream.Stream<EntryContent, SourceFailed> =>
  channel.readMany({
    root: bytesOf(path === "" ? from : `${from}${from === "/" ? "" : "/"}${path}`),
    paths: group.map((entry) => bytesOf(entry.path)),
    limit: smallBytes
  }).pipe(
    Stream.mapError((failure) => failure._tag === "AgentCallFailed" ? refusalOf(path, failure) : failure),
    Stream.zip(Stream.fromIterable(group)),
    Stream.map(([{ content, errno }, entry]): EntryContent => {
      if (errno === 0) return { entry, content }
      // The file grew, maybe without end: the export reads its listed size.
      if (errno === EFBIG) return { entry, content: pieces(entry) }
      const whole = below(path, entry)
      const message = `it cannot be read: ${errnoName(errno)}`
      return { entry, content: Stream.fail(failureOf(whole, { errno: errnoName(errno), message })) }
    })
  )

/** Content of a file, until it exceeds its listed size: a file may be endless. */
const piecesOf = (channel: ExportChannel, path: string, size: number, from: string) =>
  Stream.suspend(() => {
    let seen = 0
    return channel.read({ root: from, path: bytesOf(path), limit: size + 1 }).pipe(
      Stream.takeUntil((bytes) => (seen += bytes.length) > size),
      Stream.mapError((failure: AgentCallFailed | Exclude<SourceFailed, { readonly _tag: "FileRefused" }>) =>
        failure._tag === "AgentCallFailed" ? failureOf(path, failure) : failure
      )
    )
  })

/** Maximum bytes of these contents in memory. The largest usual file, /proc/kallsyms, has 10 MiB. */
const bufferedMost = 16 * 1024 * 1024
/** Size of every file of sysfs, in `bytes`. Its content is shorter. */
const sysfsSize = 4096

/** Where an export reads: the directory `path` of `from`, both raw. */
interface Place {
  readonly path: string
  readonly from: string
}

/** Whether the listed size may be wrong, as in /proc and /sys. */
const isUnsized = (entry: TreeEntry, { from, path }: Place): boolean =>
  entry.type === "file" &&
  (entry.size === 0 ||
    (entry.size === sysfsSize && from === wholeGuest.root && below(path, entry).startsWith("sys/")))

/** The whole content. `undefined` for an unreadable file, which the export itself reports. */
const wholeOf = ({ content }: EntryContent): Effect.Effect<Uint8Array | undefined, ChannelFailed> =>
  content instanceof Uint8Array ? Effect.succeed(content) : Stream.runCollect(content).pipe(
    Effect.map((pieces) => Buffer.concat(Array.from(pieces))),
    Effect.catchTags({ Gone: () => Effect.succeed(undefined), FileRefused: () => Effect.succeed(undefined) })
  )

/** Contents in memory, by the entry's path. */
type Buffered = ReadonlyMap<string, EntryContent["content"]>

/**
 * Contents of files that the guest's kernel generates, such as those of /proc, which are listed as empty. An export announces sizes
 * before contents, so these contents are read first. Above the limit, a file is left out of a directory, and refused alone.
 */
export const unsizedContents = (
  channel: ExportChannel,
  entries: ReadonlyArray<TreeEntry>,
  place: Place
): Effect.Effect<Buffered, ChannelFailed | FileRefused> =>
  Effect.gen(function*() {
    const buffered = new Map<string, EntryContent["content"]>()
    let left = bufferedMost
    const unsized = contentsOf(channel, place.path, entries.filter((entry) => isUnsized(entry, place)), {
      from: place.from,
      most: () => Math.max(left, 0)
    })
    yield* Stream.runForEach(unsized, (file) =>
      Effect.gen(function*() {
        const content = yield* wholeOf(file)
        if (content === undefined || content.length === 0) return
        const { path, size } = file.entry
        left -= content.length
        if (left >= 0) buffered.set(path, content)
        else if (path === "") {
          const name = `${place.from === wholeGuest.root ? "/" : ""}${shown(place.path)}`
          return yield* new FileRefused({ path: name, reason: "too_large", detail: `${tooLarge}. ${READ_BY_COMMAND}` })
        } else if (size === 0) buffered.set(path, Stream.fail({ _tag: "Gone", reason: tooLarge }))
      }))
    return buffered
  })

const tooLarge = `it is listed as empty, and the guest has more than ${sizeText(bufferedMost)} in files that are`
const READ_BY_COMMAND = "Read its content with a command, such as cat"

/** The entries with the sizes of these contents. */
export const withSizesOf = (entries: ReadonlyArray<TreeEntry>, buffered: Buffered): ReadonlyArray<TreeEntry> =>
  buffered.size === 0 ? entries : entries.map((entry) => {
    const content = buffered.get(entry.path)
    return content instanceof Uint8Array ? { ...entry, size: content.length } : entry
  })
