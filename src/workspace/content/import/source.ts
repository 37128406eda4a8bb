import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import { InvalidRequest, type SeedRejected } from "../../../contract/errors/errors.ts"
import { NO_GIT_ENTRY } from "../../../contract/text/host-file-notes.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import { printable } from "../../../contract/text/printable.ts"
import { beneath, filesBeneath } from "../../../lib/seeding/model/host-files.ts"
import { demandReadable } from "../../../system/files/caller-places.ts"
import { realPath } from "../../../system/files/host-path.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"

/** A file or link of the host. */
export interface SourceEntry {
  /** Relative to the source; empty for the source itself. */
  readonly path: Uint8Array
  /** Permission bits of a file. */
  readonly mode: number
  readonly size: number
  /** Time of the last modification, in ns since 1970. */
  readonly mtimeNs: bigint
  /** Of a link. */
  readonly target?: Buffer | undefined
}

interface Skip {
  readonly path: string
  readonly reason: string
}

export interface Source {
  /** Path with all links resolved. */
  readonly root: string
  readonly kind: "file" | "directory"
  readonly entries: ReadonlyArray<SourceEntry>
  readonly skipped: ReadonlyArray<Skip>
}

const refused = (detail: string) => new InvalidRequest({ field: "source_path", detail })

/** Number of files to check in one turn of the event loop. */
const LOOKS_PER_TURN = 512

/** Lists a file or directory of the host, without reading contents. Only the source itself may be a link. */
export const listSource = (source: string): Effect.Effect<Source, InvalidRequest | SeedRejected> =>
  Effect.gen(function*() {
    const root = realPath(source)
    if (root === undefined) return yield* refused(`${printable(source)} is not there, or cannot be reached`)
    yield* demandReadable("source_path", root)
    const top = look(root, new Uint8Array(0))
    if (top === undefined) return yield* listDirectory(root)
    return typeof top === "string"
      ? yield* refused(`${printable(source)}: ${top}`)
      : { root, kind: "file", entries: [top], skipped: [] } as const
  })

const listDirectory = (root: string): Effect.Effect<Source, SeedRejected> =>
  Effect.gen(function*() {
    const entries: Array<SourceEntry> = []
    const skipped: Array<Skip> = []
    const skip = (path: Uint8Array, reason: string) => void skipped.push({ path: pathText(path), reason })
    const filled = new Set<string>()
    const folders: Array<Buffer> = []
    const gits: Array<Buffer> = []
    for (const [index, path] of (yield* filesBeneath(Buffer.from(root), root, gits)).entries()) {
      if (index % LOOKS_PER_TURN === 0) yield* yieldToEventLoop
      const found = look(root, path)
      const name = path.toString("latin1")
      filled.add(name.slice(0, Math.max(name.lastIndexOf("/"), 0)))
      if (found === undefined) folders.push(path)
      else if (typeof found === "string") skip(path, found)
      else entries.push(found)
    }
    for (const path of folders) if (!filled.has(path.toString("latin1"))) skip(path, "it is an empty directory")
    for (const path of gits) skip(path, NO_GIT_ENTRY)
    return { root, kind: "directory", entries, skipped }
  })

/** A file or link, the reason why it is neither, or `undefined` for a directory. */
const look = (root: string, path: Uint8Array): SourceEntry | string | undefined => {
  try {
    const at = path.length === 0 ? Buffer.from(root) : beneath(root, path)
    const stat = fs.lstatSync(at, { bigint: true })
    const facts = { path, mode: Number(stat.mode) & 0o777, size: Number(stat.size), mtimeNs: stat.mtimeNs }
    if (stat.isDirectory()) return undefined
    if (stat.isSymbolicLink()) return { ...facts, size: 0, target: fs.readlinkSync(at, { encoding: "buffer" }) }
    return stat.isFile() ? facts : "it is neither a file nor a directory"
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code ?? String(cause)
  }
}

/** The file cannot be read, or is no longer the listed one. */
interface Unreadable {
  readonly _tag: "Unreadable"
  readonly reason: string
}

const unreadable = (cause: unknown): Unreadable => ({
  _tag: "Unreadable",
  reason: (cause as NodeJS.ErrnoException).code ?? String(cause)
})

const PIECE_BYTES = 256 * 1024

/** For files such as those of /proc: their content would not count for the limits of the copy. */
const LISTED_AS_EMPTY =
  "the host lists it as empty, but it has content. Copy the content through a pipe: pyro cp reads stdin where the source is -"

const hasContent = async (file: fs.promises.FileHandle) => (await file.read(Buffer.allocUnsafe(1), 0)).bytesRead > 0

/** Content of a listed file, at most its listed size. Never through a link. */
export const contentOf = (root: string, { path, size }: SourceEntry): Stream.Stream<Uint8Array, Unreadable> =>
  Stream.unwrap(Effect.gen(function*() {
    const at = path.length === 0 ? Buffer.from(root) : beneath(root, path)
    const file = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => fs.promises.open(at, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK),
        catch: unreadable
      }),
      (file) => Effect.promise(() => file.close())
    )
    // A directory on the path may have become a link since the listing.
    const where = fs.readlinkSync(`/proc/self/fd/${file.fd}`, { encoding: "buffer" })
    if (!where.equals(at)) {
      return yield* Effect.fail<Unreadable>({ _tag: "Unreadable", reason: "it was replaced meanwhile" })
    }
    if (size === 0 && (yield* Effect.tryPromise({ try: () => hasContent(file), catch: unreadable }))) {
      return yield* Effect.fail<Unreadable>({ _tag: "Unreadable", reason: LISTED_AS_EMPTY })
    }
    return Stream.unfold(size, (left) =>
      Effect.tryPromise({
        try: async () => {
          if (left === 0) return undefined
          const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.min(left, PIECE_BYTES)), 0)
          return bytesRead === 0 ? undefined : [buffer.subarray(0, bytesRead), left - bytesRead] as const
        },
        catch: unreadable
      }))
  }))
