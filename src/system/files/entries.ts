import type { Effect } from "effect"
import * as fs from "node:fs"
import { attempt, type FileFailed } from "./failure.ts"

/** Whether a path exists. False also if a folder above may not be searched. */
export const exists = (path: string): boolean => fs.existsSync(path)

export const renameFile = (from: string, to: string): Effect.Effect<void, FileFailed> =>
  attempt("rename", to, () => fs.renameSync(from, to))

/** Gives a file a second name. */
export const linkFile = (from: string, to: string): Effect.Effect<void, FileFailed> =>
  attempt("link", to, () => fs.linkSync(from, to))

/** Makes a symbolic link at `link` that leads to \`to\`. */
export const linkSymbolically = (to: string, link: string): Effect.Effect<void, FileFailed> =>
  attempt("symlink", link, () => fs.symlinkSync(to, link))

/** Removes a name. Succeeds if there is none; a folder is refused. */
export const removeFile = (path: string): Effect.Effect<void, FileFailed> =>
  attempt("unlink", path, () => fs.rmSync(path, { force: true }))

/** The entry of a path, without following a symbolic link. Undefined if there is none. */
export const statEntry = (path: string): Effect.Effect<fs.Stats | undefined, FileFailed> =>
  attempt("lstat", path, () => fs.lstatSync(path, { throwIfNoEntry: false }))

/** The same with times to the nanosecond. */
export const statExactly = (path: string): Effect.Effect<fs.BigIntStats | undefined, FileFailed> =>
  attempt("lstat", path, () => fs.lstatSync(path, { bigint: true, throwIfNoEntry: false }))

/** The target of a path. Undefined if there is none. */
export const statFile = (path: string): Effect.Effect<fs.Stats | undefined, FileFailed> =>
  attempt("stat", path, () => fs.statSync(path, { throwIfNoEntry: false }))

/** Sets the permission bits. */
export const setMode = (path: string, mode: number): Effect.Effect<void, FileFailed> =>
  attempt("chmod", path, () => fs.chmodSync(path, mode))

/** Sets the times of access and of modification, in seconds. */
export const setTimes = (path: string, seconds: number): Effect.Effect<void, FileFailed> =>
  attempt("utimes", path, () => fs.utimesSync(path, seconds, seconds))

/** Gives a file or a folder to a user and to the group of the same number. */
export const setOwner = (path: string, uid: number): Effect.Effect<void, FileFailed> =>
  attempt("chown", path, () => fs.chownSync(path, uid, uid))

/** Names the inode of a path on its file system: two names of one file have the same. Undefined if there is none. */
export const inodeOf = (path: string): Effect.Effect<string | undefined, FileFailed> =>
  attempt("stat", path, () => {
    const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
    return stat && `${stat.dev}:${stat.ino}`
  })

/** Makes one folder, for this user only by default. Fails with EEXIST if the name is taken. */
export const makeFolder = (path: string, mode = 0o700): Effect.Effect<void, FileFailed> =>
  attempt("mkdir", path, () => fs.mkdirSync(path, { mode }))

/** Makes a folder and the folders above it. A folder that exists keeps its mode. */
export const ensureFolder = (path: string, mode = 0o700): Effect.Effect<void, FileFailed> =>
  attempt("mkdir", path, () => void fs.mkdirSync(path, { recursive: true, mode }))

/** Takes the rights of others from a folder that may have been there before. False for a link, and for a folder of another user. */
export const makePrivate = (path: string): Effect.Effect<boolean, FileFailed> =>
  attempt("chmod", path, () => {
    const found = fs.lstatSync(path)
    const isOwn = found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid())
    if (isOwn) fs.chmodSync(path, 0o700)
    return isOwn
  })

/** Makes a folder with a new name that begins with `prefix`. Gives its path. */
export const makeUniqueFolder = (prefix: string): Effect.Effect<string, FileFailed> =>
  attempt("mkdir", prefix, () => fs.mkdtempSync(prefix))

/** Names in a folder, in the order of the file system. */
export const listFolder = (path: string): Effect.Effect<ReadonlyArray<string>, FileFailed> =>
  attempt("scandir", path, () => fs.readdirSync(path))

/** Names in a folder; none if there is no such folder. */
export const listIfPresent = (path: string): Effect.Effect<ReadonlyArray<string>, FileFailed> =>
  attempt("scandir", path, () => namesIn(path))

/** Exceptional form of `listIfPresent`, for code inside an `attempt`. */
export const namesIn = (path: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return []
    throw cause
  }
}

/** Removes an empty folder. */
export const removeEmptyFolder = (path: string): Effect.Effect<void, FileFailed> =>
  attempt("rmdir", path, () => fs.rmdirSync(path))
