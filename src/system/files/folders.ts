import type { Effect } from "effect"
import * as fs from "node:fs"
import { attempt, attemptAsync, type FileFailed } from "./failure.ts"

/** Makes one folder, for this user alone unless `mode` says otherwise. Fails with EEXIST if the name is taken. */
export const makeFolder = (path: string, mode = 0o700): Effect.Effect<void, FileFailed> =>
  attempt("mkdir", path, () => fs.mkdirSync(path, { mode }))

/** Makes a folder and the folders above it. A folder that exists keeps its mode. */
export const ensureFolder = (path: string, mode = 0o700): Effect.Effect<void, FileFailed> =>
  attempt("mkdir", path, () => void fs.mkdirSync(path, { recursive: true, mode }))

/** Makes a folder whose name begins with `prefix` and is new, and gives its path. */
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

/** Removes a file or a whole tree, in the thread pool. Succeeds if there is none. */
export const removeTree = (path: string): Effect.Effect<void, FileFailed> =>
  attemptAsync("rm", path, () => fs.promises.rm(path, { recursive: true, force: true }))
