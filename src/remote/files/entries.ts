import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import { SeedRejected } from "../../contract/errors/errors.ts"
import { pathText } from "../../contract/text/path-text.ts"
import type { SpoolEntry } from "../../contract/wire/spool.ts"
import { isLinux } from "../../system/settings/this-computer.ts"
import { yieldToEventLoop } from "../../system/waits/effects.ts"

/** A path that is not sent, and why. */
interface Left {
  readonly path: string
  readonly reason: string
}

/** A tree of this machine that is to be sent. */
export interface Tree {
  readonly entries: ReadonlyArray<SpoolEntry>
  /** Where the file of an entry is. */
  readonly placeOf: (entry: number) => Buffer
  /** Contents that are in memory, by the place of their entry. */
  readonly contents: ReadonlyMap<number, Uint8Array>
  readonly left: ReadonlyArray<Left>
}

/** A directory whose paths go beneath `at` of the tree. */
export interface Part {
  readonly at: string
  /** Real path. */
  readonly root: string
  readonly paths: ReadonlyArray<Buffer>
}

/** Contents up to this sum stay in memory between their digest and their sending. */
const MAX_CONTENTS_BYTES = 64 * 1024 * 1024
const MAX_CONTENT_BYTES = 1024 * 1024
const PIECE_BYTES = 1024 * 1024
/** Number of files in one turn of the event loop. */
const FILES_PER_TURN = 128
const PERMISSIONS = 0o777

const OPEN = fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0) | (fs.constants.O_NONBLOCK ?? 0)

/** Whether an open file is the one at its path, without a link on the way. */
const isItself = (fd: number, at: Buffer): boolean => {
  if (isLinux()) return fs.readlinkSync(`/proc/self/fd/${fd}`, { encoding: "buffer" }).equals(at)
  const [opened, there] = [fs.fstatSync(fd, { bigint: true }), fs.lstatSync(at, { bigint: true })]
  return opened.ino === there.ino && opened.dev === there.dev &&
    Buffer.from(fs.realpathSync(at, { encoding: "buffer" })).equals(at)
}

/** Opens a regular file that no link leads to. Throws the reason. */
export const openPlain = (at: Buffer): number => {
  const fd = fs.openSync(at, OPEN)
  try {
    if (!fs.fstatSync(fd).isFile()) throw new Error("it is no file any more")
    if (!isItself(fd, at)) throw new Error("it was replaced while it was read")
    return fd
  } catch (cause) {
    fs.closeSync(fd)
    throw cause
  }
}

/** Size and digest of a file, and its content if that is small. */
const readFile = (at: Buffer, keeps: boolean) => {
  const fd = openPlain(at)
  try {
    const { mode, mtimeMs, size } = fs.fstatSync(fd)
    if (keeps && size <= MAX_CONTENT_BYTES) {
      const content = fs.readFileSync(fd)
      return {
        mode,
        mtimeMs,
        size: content.length,
        sha256: createHash("sha256").update(content).digest("hex"),
        content
      }
    }
    const hash = createHash("sha256")
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    let read = 0
    for (let count; (count = fs.readSync(fd, piece, 0, PIECE_BYTES, null)) > 0; read += count) {
      hash.update(piece.subarray(0, count))
    }
    return { mode, mtimeMs, size: read, sha256: hash.digest("hex"), content: undefined }
  } finally {
    fs.closeSync(fd)
  }
}

const reasonOf = (cause: unknown) =>
  (cause as NodeJS.ErrnoException).code ?? (cause instanceof Error ? cause.message : String(cause))

const slash = Buffer.from("/")
const joined = (folder: Uint8Array, name: Uint8Array) =>
  folder.length === 0
    ? Buffer.from(name)
    : name.length === 0
    ? Buffer.from(folder)
    : Buffer.concat([folder, slash, name])

/** Collects entries: each directory before what is in it. */
class Collector implements Tree {
  readonly entries: Array<SpoolEntry> = []
  readonly contents = new Map<number, Uint8Array>()
  readonly left: Array<Left> = []
  readonly #places: Array<Buffer> = []
  readonly #folders = new Set<string>()
  readonly #seen = new Set<string>()
  #bytes = 0

  readonly placeOf = (entry: number) => this.#places[entry]!

  #add(entry: SpoolEntry, at: Buffer) {
    this.entries.push(entry)
    this.#places.push(at)
    this.#seen.add(entry[1])
  }

  /** A directory, and those above it. False: there is none, or a link is in its place. */
  folder(root: Buffer, prefix: Buffer, path: Buffer): boolean {
    const name = joined(prefix, path).toString("latin1")
    if (this.#folders.has(name)) return true
    const above = path.lastIndexOf("/")
    if (path.length > 0 && !this.folder(root, prefix, path.subarray(0, Math.max(above, 0)))) return false
    const at = joined(root, path)
    const stat = fs.lstatSync(at)
    if (!stat.isDirectory()) return false
    this.#folders.add(name)
    this.#add(["d", name, stat.mode & PERMISSIONS, stat.mtimeMs], at)
    return true
  }

  /** An entry beneath a root. What cannot be sent is remembered with its reason. */
  add(root: Buffer, prefix: Buffer, path: Buffer) {
    const full = joined(prefix, path)
    const name = full.toString("latin1")
    const at = joined(root, path)
    try {
      const stat = fs.lstatSync(at)
      if (stat.isDirectory()) return void this.folder(root, prefix, path)
      if (this.#seen.has(name)) return
      const slashAt = path.lastIndexOf("/")
      if (!this.folder(root, prefix, path.subarray(0, Math.max(slashAt, 0)))) throw new Error("a link leads to it")
      if (stat.isSymbolicLink()) {
        const target = fs.readlinkSync(at, { encoding: "buffer" }).toString("latin1")
        this.#add(["l", name, stat.mode & PERMISSIONS, stat.mtimeMs, target], at)
      } else if (stat.isFile()) this.file(name, at)
      else throw new Error("it is neither a file nor a symlink")
    } catch (cause) {
      this.left.push({ path: pathText(full), reason: reasonOf(cause) })
    }
  }

  file(name: string, at: Buffer) {
    const { content, mode, mtimeMs, sha256, size } = readFile(at, this.#bytes < MAX_CONTENTS_BYTES)
    if (content !== undefined) {
      this.#bytes += size
      this.contents.set(this.entries.length, content)
    }
    this.#add(["f", name, mode & PERMISSIONS, mtimeMs, size, sha256], at)
  }
}

/** The entries of directories, one below the other. The first part is the tree itself. Contents are read for their digests. */
export const treeOf = (parts: ReadonlyArray<Part>): Effect.Effect<Tree, SeedRejected> =>
  Effect.gen(function*() {
    const collector = new Collector()
    for (const { at, paths, root } of parts) {
      const [from, prefix] = [Buffer.from(root), Buffer.from(at)]
      yield* Effect.try({
        try: () => void collector.folder(from, prefix, Buffer.alloc(0)),
        catch: (cause) => new SeedRejected({ path: root, detail: reasonOf(cause) })
      })
      for (const [index, path] of paths.entries()) {
        if (index % FILES_PER_TURN === 0) yield* yieldToEventLoop
        collector.add(from, prefix, path)
      }
    }
    return collector
  })

/** One file as a tree. */
export const fileTree = (file: string): Effect.Effect<Tree, SeedRejected> =>
  Effect.try({
    try: () => {
      const collector = new Collector()
      collector.file("", Buffer.from(file))
      return collector
    },
    catch: (cause) => new SeedRejected({ path: file, detail: reasonOf(cause) })
  })
