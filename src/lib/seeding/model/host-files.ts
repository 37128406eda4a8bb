import { Context, Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { SeedRejected } from "../../../contract/errors/errors.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import { isItself } from "./pinned.ts"

const slash = Buffer.from("/")

export const joinBytes = (folder: Uint8Array, name: Uint8Array): Buffer =>
  folder.length === 0 ? Buffer.from(name) : Buffer.concat([folder, slash, name])

/** Host path of a folder and bytes below it. */
export const beneath = (folder: string, relative: Uint8Array): Buffer => joinBytes(Buffer.from(folder), relative)

/**
 * Content of a regular file within the limit. `undefined` for a symlink or any other entry, and for a path that leads from an open
 * directory through a link.
 */
export const readBounded = (file: string | Buffer, maxBytes: number): Buffer | undefined => {
  let fd: number
  try {
    fd = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
  } catch (cause) {
    if (absent.includes((cause as NodeJS.ErrnoException).code ?? "")) return undefined
    throw cause
  }
  try {
    const stat = fs.fstatSync(fd)
    return stat.isFile() && stat.size <= maxBytes && isItself(file.toString(), fd) ? fs.readFileSync(fd) : undefined
  } finally {
    fs.closeSync(fd)
  }
}

/** Bytes of a regular file. `undefined` for any other entry. */
export const fileSize = (file: string): number | undefined => {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  return stat?.isFile() === true ? stat.size : undefined
}

/** Errors of open for a missing file, a symlink, or a file that cannot be opened this way. */
const absent = ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "EACCES", "ENAMETOOLONG"]

/** Whether a folder has an entry at a path. */
export const hasFile = (folder: string, relative: Uint8Array): boolean => {
  try {
    return fs.lstatSync(beneath(folder, relative), { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** Sets the modes and times of a directory that pyro made, so that equal contents give equal images. */
export const settle = (folder: string, seconds: number, special: ReadonlyMap<string, number> = new Map()) => {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) settle(file, seconds)
    else fs.chmodSync(file, 0o644)
    if (!entry.isDirectory()) {
      fs.utimesSync(file, special.get(entry.name) ?? seconds, special.get(entry.name) ?? seconds)
    }
  }
  fs.chmodSync(folder, 0o755)
  fs.utimesSync(folder, seconds, seconds)
}

/** Limits of a walk through a directory that git cannot list. */
export interface WalkLimits {
  /** Files and directories. */
  readonly entries: number
  /** Maximum depth of directories. */
  readonly depth: number
  /** Maximum time of the walk: a network file system may not answer. */
  readonly deadlineMs: number
}

/** Tests set lower limits, because they cannot make a million files. */
export const walkLimits = Context.Reference<WalkLimits>("pyro/seeding/walkLimits", {
  defaultValue: () => ({ entries: 1_000_000, depth: 512, deadlineMs: 120_000 })
})

interface Folder {
  readonly path: Buffer
  readonly depth: number
}

const dotGit = Buffer.from(".git")

/**
 * Everything below a directory except entries named `.git`, for directories that git cannot list. Opens directories only, and
 * follows no symbolic links. Fails as `SeedRejected` of `source` if the tree is too large, too deep or too slow. Adds the omitted entries
 * to `gits`.
 */
export const filesBeneath = (
  root: Buffer,
  source: string,
  gits: Array<Buffer> = []
): Effect.Effect<ReadonlyArray<Buffer>, SeedRejected> =>
  Effect.gen(function*() {
    const { deadlineMs, depth, entries } = yield* walkLimits
    const refuse = (detail: string) => new SeedRejected({ path: source, detail })
    const found: Array<Buffer> = []
    const walk = Effect.gen(function*() {
      const folders: Array<Folder> = [{ path: Buffer.alloc(0), depth: 0 }]
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const all = yield* entriesOf(joinBytes(root, folder.path), entries - found.length)
        const listed = all?.filter(({ name }) => !name.equals(dotGit))
        if (listed?.length !== all?.length) gits.push(joinBytes(folder.path, dotGit))
        if (listed === undefined) {
          return yield* refuse(`it has more than ${entries} files and directories`)
        }
        for (const { isDirectory, name } of listed) {
          const path = joinBytes(folder.path, name)
          found.push(path)
          if (isDirectory) folders.push({ path, depth: folder.depth + 1 })
        }
        if (folder.depth >= depth && listed.some(({ isDirectory }) => isDirectory)) {
          return yield* refuse(`it has more than ${depth} directories within each other`)
        }
      }
      return found
    })
    return yield* Effect.timeoutOrElse(walk, {
      duration: deadlineMs,
      orElse: () => Effect.fail(refuse(`listing its files took longer than ${deadlineMs / 1000} s`))
    })
  })

interface Listed {
  readonly name: Buffer
  readonly isDirectory: boolean
}

/**
 * Entries of a directory, in order. `undefined` if it has more than `most` beside `.git`. An unreadable directory has none: the
 * seeding itself reports it.
 */
const entriesOf = (folder: Buffer, most: number) =>
  Effect.promise(async (signal): Promise<ReadonlyArray<Listed> | undefined> => {
    const listed: Array<Listed> = []
    let counted = 0
    try {
      // Node accepts the encoding "buffer" for opendir. Node's types lack it.
      const options = { encoding: "buffer", bufferSize: 1024 } as unknown as fs.OpenDirOptions
      for await (const entry of await fs.promises.opendir(folder, options)) {
        const name = entry.name as unknown as Buffer
        if (!name.equals(dotGit) && ++counted > most) return undefined
        listed.push({ name, isDirectory: entry.isDirectory() })
        signal.throwIfAborted()
      }
    } catch {
      // The readable entries count.
    }
    return listed.sort((one, other) => Buffer.compare(one.name, other.name))
  })

/** Names of files that git opens at any depth of a work tree. */
const opened = [".gitignore", ".gitattributes"].map((name) => Buffer.from(name))

/** Directories to check between two turns of other work. */
const SLICE = 64

/**
 * The first special file beneath a folder that git would open, so that the open may never end: a FIFO, a device. `undefined`
 * without one. `everything`: files of any name, as in an object store.
 */
export const findSpecialFile = (root: string, options: { readonly everything: boolean }) =>
  Effect.gen(function*() {
    const folders: Array<Buffer> = [Buffer.from(root)]
    for (let looked = 1; folders.length > 0; looked++) {
      if (looked % SLICE === 0) yield* yieldToEventLoop
      const folder = folders.pop()!
      for (const entry of readable(folder)) {
        if (entry.isDirectory()) {
          if (!entry.name.equals(dotGit)) folders.push(joinBytes(folder, entry.name))
          continue
        }
        if (entry.isFile() || !(options.everything || opened.some((name) => name.equals(entry.name)))) continue
        const file = joinBytes(folder, entry.name)
        if (isSpecial(file)) return file
      }
    }
    return undefined
  })

/** A dangling link cannot be opened. */
const isSpecial = (file: Buffer) => {
  try {
    const stat = fs.statSync(file)
    return !stat.isFile() && !stat.isDirectory()
  } catch {
    return false
  }
}

const readable = (folder: Buffer) => {
  try {
    return fs.readdirSync(folder, { withFileTypes: true, encoding: "buffer" })
  } catch {
    return []
  }
}
