import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { isDiskFull } from "./failure.ts"
import { PutFailed } from "./put-failed.ts"

// Files beneath a folder, for computers without pyro's programs in C. Node has no openat(2): each path is looked at component by component before it is
// used, and its folders are the same ones afterwards. Another program that swaps folders and links in between can win the race, so the programs in C
// stay the writers of Linux.

/** Texts of native/put. */
const errnoText: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "No such file or directory"],
  ["ENOTDIR", "Not a directory"],
  ["ELOOP", "Too many levels of symbolic links"],
  ["EACCES", "Permission denied"],
  ["EPERM", "Operation not permitted"],
  ["EEXIST", "File exists"],
  ["EBUSY", "Device or resource busy"]
])

/** The failure of a file function of Node. */
export const hostFailure = (what: string, file: string, cause: unknown): PutFailed => {
  const { code = "", message } = cause as NodeJS.ErrnoException
  return new PutFailed({
    reason: isDiskFull(cause) ? "full" : "failed",
    detail: `${what} ${file}: ${errnoText.get(code) ?? message}`,
    conflicts: []
  })
}

/** Runs file functions. Throws PutFailed in place of Node's error. */
export const trying = <A>(what: string, file: string, work: () => A): A => {
  try {
    return work()
  } catch (cause) {
    throw cause instanceof PutFailed ? cause : hostFailure(what, file, cause)
  }
}

const errno = (code: string) => Object.assign(new Error(code), { code })

/** The entry of a path, without following a link. Undefined if there is none. Throws Node's other errors. */
export const look = (file: string): fs.BigIntStats | undefined =>
  fs.lstatSync(file, { bigint: true, throwIfNoEntry: false })

/** A directory itself: a link throws ELOOP, and another file ENOTDIR. */
const demandFolder = (file: string): fs.BigIntStats => {
  const found = look(file)
  if (found === undefined) throw errno("ENOENT")
  if (found.isSymbolicLink()) throw errno("ELOOP")
  if (!found.isDirectory()) throw errno("ENOTDIR")
  return found
}

/** Whether two looks have seen one file. */
export const isSame = (one: fs.BigIntStats | undefined, other: fs.BigIntStats | undefined): boolean =>
  one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev

/** The folder `parts` beneath another, none of whose components is a link. Throws Node's errors. */
const folderBeneath = (base: string, parts: ReadonlyArray<string>): string => {
  let at = base
  demandFolder(at)
  for (const part of parts) {
    if (part === "" || part === ".") continue
    if (part === "..") throw errno("EXDEV")
    at = path.join(at, part)
    demandFolder(at)
  }
  return at
}

/** An absolute folder without a link on its way. */
const folderWithoutLinks = (folder: string): string => {
  const { root } = path.parse(folder)
  return folderBeneath(root, folder.slice(root.length).split(/[/\\]/).filter((part) => part !== ""))
}

/** A folder beneath another that is reached without a link; without `within`, links above it are followed. */
export const openFolder = (folder: string, within: string | undefined): string =>
  trying("cannot open", folder, () => {
    if (within === undefined) {
      const real = fs.realpathSync(folder)
      demandFolder(real)
      return real
    }
    return folderBeneath(folderWithoutLinks(within), folder.split(/[/\\]/))
  })

/** Paths beneath a folder that stays the same: each use of a path looks at the folders above it. */
export class Beneath {
  readonly base: string
  readonly #identity: fs.BigIntStats

  constructor(base: string) {
    this.base = base
    this.#identity = demandFolder(base)
  }

  /** The path of an entry, whose folders are folders and no links. Throws Node's errors. */
  at(relative: string): string {
    const parts = relative.split("/")
    if (!isSame(demandFolder(this.base), this.#identity)) throw errno("ENOTDIR")
    return path.join(folderBeneath(this.base, parts.slice(0, -1)), parts.at(-1)!)
  }
}

/** Maximum bytes of one system call. */
const PAGE = 4_096

const isZero = (bytes: Uint8Array) => bytes[0] === 0 && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0

/** Writes bytes at a place of a file. Pages of zeros become holes, where the file system has any. */
export const writeSparsely = (fd: number, bytes: Uint8Array, at: number) => {
  let end = 0
  for (let start = 0; start < bytes.length; start = end) {
    const pageOf = (from: number) => Math.min(bytes.length, from + PAGE - ((at + from) % PAGE))
    end = pageOf(start)
    if (isZero(bytes.subarray(start, end))) continue
    while (end < bytes.length && !isZero(bytes.subarray(end, pageOf(end)))) end = pageOf(end)
    for (let done = start; done < end;) done += fs.writeSync(fd, bytes, done, end - done, at + done)
  }
  if (bytes.length > 0 && fs.fstatSync(fd).size < at + bytes.length) fs.ftruncateSync(fd, at + bytes.length)
}

/** A new folder for what has no place yet, which only this user can read. */
export const makeStage = (home: string, prefix: string): string => {
  const stage = path.join(home, `${prefix}${randomBytes(8).toString("hex")}`)
  fs.mkdirSync(stage, { mode: 0o700 })
  return stage
}

/** Removes what is staged. Follows no link. */
export const removeStage = (stage: string) => {
  try {
    fs.rmSync(stage, { recursive: true, force: true })
  } catch {
    // What cannot be removed stays beneath one name of pyro's.
  }
}

/** Fails if a file system has no room. */
export const demandRoom = (folder: string, sizes: Iterable<number>) => {
  let room: fs.StatsFs
  try {
    room = fs.statfsSync(folder)
  } catch {
    return
  }
  if (room.blocks === 0) return
  let needed = 0
  for (const size of sizes) needed += Math.ceil(size / room.bsize) * room.bsize
  const free = room.bavail * room.bsize
  if (needed > free) throw new PutFailed({ reason: "full", detail: "no room", conflicts: [], needed, free })
}

/** Codes of file systems and systems without hard links. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK", "EACCES", "UNKNOWN"])

/**
 * Gives a staged file or link a name that nothing has. Throws EEXIST if something has it. Where there are no hard links, another program that takes the
 * name at the same moment loses its file.
 */
export const placeNew = (staged: string, place: string, isLink: boolean) => {
  if (isLink) {
    fs.symlinkSync(fs.readlinkSync(staged, "buffer"), place)
    fs.unlinkSync(staged)
    return
  }
  try {
    fs.linkSync(staged, place)
  } catch (cause) {
    if (!NO_LINKS.has((cause as NodeJS.ErrnoException).code ?? "")) throw cause
    if (look(place) !== undefined) throw errno("EEXIST")
    fs.renameSync(staged, place)
    return
  }
  fs.unlinkSync(staged)
}
