import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import { attempt, attemptAsync, FileFailed } from "./failure.ts"

interface NewFile {
  /** Permission bits of a new file. Default: only this user. */
  readonly mode?: number
}

export const readFile = (path: string): Effect.Effect<Buffer, FileFailed> =>
  attempt("read", path, () => fs.readFileSync(path))

export const readText = (path: string): Effect.Effect<string, FileFailed> =>
  attempt("read", path, () => fs.readFileSync(path, "utf8"))

/** The text of a file. Undefined if it cannot be read for any reason. */
export const readIfReadable = (path: string): string | undefined => {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** The content of a file. Undefined if there is none. Throws Node's errors, for code inside an `attempt`. */
export const contentIfPresent = (path: string): Buffer | undefined => {
  try {
    return fs.readFileSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw cause
  }
}

/** Writes a whole file in place. A reader may see a part, unlike with `writeFileAtomic` of atomic-file.ts. */
export const writeFile = (
  path: string,
  content: string | Uint8Array,
  { mode = 0o600 }: NewFile = {}
): Effect.Effect<void, FileFailed> => attempt("write", path, () => fs.writeFileSync(path, content, { mode }))

/** Copies a file of any size in the thread pool. Shares blocks if the file system can. */
export const copyFile = (from: string, to: string): Effect.Effect<void, FileFailed> =>
  attemptAsync("copyfile", to, () => fs.promises.copyFile(from, to, fs.constants.COPYFILE_FICLONE))

/** Copies the first bytes of a file in this turn of the event loop. Shares blocks if the file system can. */
export const copyStart = (from: string, to: string, bytes: number): Effect.Effect<void, FileFailed> =>
  attempt("copyfile", to, () => {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE)
    fs.truncateSync(to, bytes)
  })

/** Opens a file. The Scope closes the descriptor. `flags` as in open(2), or Node's letters. */
export const openFile = (
  path: string,
  flags: string | number,
  mode = 0o600
): Effect.Effect<number, FileFailed, Scope.Scope> =>
  Effect.acquireRelease(
    attempt("open", path, () => fs.openSync(path, flags, mode)),
    (fd) => Effect.sync(() => fs.closeSync(fd))
  )

/** Opens a folder, whose entries have the short paths `/proc/self/fd/N/NAME`. */
export const openFolder = (path: string): Effect.Effect<number, FileFailed, Scope.Scope> =>
  openFile(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)

/**
 * Opens a file for reading in a folder that another user may write: refuses a symbolic link, and does not block on a named pipe or a
 * device.
 */
export const openUnfollowed = (path: string): Effect.Effect<number, FileFailed, Scope.Scope> =>
  openFile(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)

/** The first bytes of an open file. Undefined if it is no regular file. */
export const readRegular = (fd: number, path: string, bytes: number): Effect.Effect<Buffer | undefined, FileFailed> =>
  attempt("read", path, () => {
    if (!fs.fstatSync(fd).isFile()) return undefined
    const start = Buffer.alloc(bytes)
    return start.subarray(0, fs.readSync(fd, start, 0, bytes, 0))
  })

/** Makes an open file this user's own: all users may read it, and none may write it. */
export const keepReadOnly = (fd: number, path: string): Effect.Effect<void, FileFailed> =>
  attempt("fchmod", path, () => {
    fs.fchownSync(fd, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
    fs.fchmodSync(fd, 0o444)
  })

/** Cuts an open file, or lengthens it with a hole. */
export const setSize = (fd: number, path: string, bytes: number): Effect.Effect<void, FileFailed> =>
  attempt("ftruncate", path, () => fs.ftruncateSync(fd, bytes))

/** Fills a buffer from an offset of an open file, in the thread pool. Bytes after the file's end stay unchanged. */
export const fillFrom = (
  { fd, path }: { readonly fd: number; readonly path: string },
  bytes: Uint8Array,
  position: number
): Effect.Effect<void, FileFailed> =>
  Effect.callback<void, FileFailed>((resume) => {
    const next = (filled: number) =>
      fs.read(fd, bytes, filled, bytes.length - filled, position + filled, (cause, count) => {
        if (cause !== null) {
          const { code, message } = cause
          return resume(Effect.fail(new FileFailed({ operation: "read", path, code, detail: message, cause })))
        }
        return count === 0 || filled + count === bytes.length ? resume(Effect.void) : next(filled + count)
      })
    next(0)
  })
