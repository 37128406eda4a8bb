import type { Effect } from "effect"
import * as fs from "node:fs"
import { attempt, attemptAsync, type FileFailed } from "./failure.ts"

export interface NewFile {
  /** Permission bits of a file that is made. Default: this user alone. */
  readonly mode?: number
}

export const readFile = (path: string): Effect.Effect<Buffer, FileFailed> =>
  attempt("read", path, () => fs.readFileSync(path))

export const readText = (path: string): Effect.Effect<string, FileFailed> =>
  attempt("read", path, () => fs.readFileSync(path, "utf8"))

/** The text of a file; undefined if it cannot be read, for whatever reason. */
export const readIfReadable = (path: string): string | undefined => {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** The content of a file; undefined if there is none. Throws what Node throws, for code inside an `attempt`. */
export const contentIfPresent = (path: string): Buffer | undefined => {
  try {
    return fs.readFileSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw cause
  }
}

/** Writes a whole file in place. A reader may see a part: `writeFileAtomic` of atomic-file.ts shows the whole or nothing. */
export const writeFile = (
  path: string,
  content: string | Uint8Array,
  { mode = 0o600 }: NewFile = {}
): Effect.Effect<void, FileFailed> => attempt("write", path, () => fs.writeFileSync(path, content, { mode }))

/** Adds to the end of a file, which is made if there is none. */
export const appendFile = (
  path: string,
  content: string | Uint8Array,
  { mode = 0o600 }: NewFile = {}
): Effect.Effect<void, FileFailed> => attempt("append", path, () => fs.appendFileSync(path, content, { mode }))

/** Copies a file of any size, in the thread pool; shares the blocks where the file system can. */
export const copyFile = (from: string, to: string): Effect.Effect<void, FileFailed> =>
  attemptAsync("copyfile", to, () => fs.promises.copyFile(from, to, fs.constants.COPYFILE_FICLONE))

/** Copies the first bytes of a file, in this turn of the event loop; shares the blocks where the file system can. */
export const copyStart = (from: string, to: string, bytes: number): Effect.Effect<void, FileFailed> =>
  attempt("copyfile", to, () => {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE)
    fs.truncateSync(to, bytes)
  })
