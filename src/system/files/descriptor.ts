import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import { attempt, FileFailed } from "./failure.ts"

/** Opens a file; the Scope closes the descriptor. `flags` as of open(2), or Node's letters. */
export const openFile = (
  path: string,
  flags: string | number,
  mode = 0o600
): Effect.Effect<number, FileFailed, Scope.Scope> =>
  Effect.acquireRelease(
    attempt("open", path, () => fs.openSync(path, flags, mode)),
    (fd) => Effect.sync(() => fs.closeSync(fd))
  )

/** Opens a folder, whose descriptor leads to its entries by a short path (`/proc/self/fd/N/`). */
export const openFolder = (path: string): Effect.Effect<number, FileFailed, Scope.Scope> =>
  openFile(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)

/**
 * Opens a file for reading where another user may write: a symbolic link is refused, and a named pipe or a device does not make the call
 * wait.
 */
export const openUnfollowed = (path: string): Effect.Effect<number, FileFailed, Scope.Scope> =>
  openFile(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)

/** The first bytes of an open file; undefined if the descriptor is of no regular file. */
export const readRegular = (fd: number, path: string, bytes: number): Effect.Effect<Buffer | undefined, FileFailed> =>
  attempt("read", path, () => {
    if (!fs.fstatSync(fd).isFile()) return undefined
    const start = Buffer.alloc(bytes)
    return start.subarray(0, fs.readSync(fd, start, 0, bytes, 0))
  })

/** Makes an open file this user's own, whom all may read and nobody may write. */
export const keepReadOnly = (fd: number, path: string): Effect.Effect<void, FileFailed> =>
  attempt("fchmod", path, () => {
    fs.fchownSync(fd, process.getuid?.() ?? 0, process.getgid?.() ?? 0)
    fs.fchmodSync(fd, 0o444)
  })

/** Cuts an open file, or lengthens it with a hole. */
export const setSize = (fd: number, path: string, bytes: number): Effect.Effect<void, FileFailed> =>
  attempt("ftruncate", path, () => fs.ftruncateSync(fd, bytes))

/** Adds to the end of an open file. */
export const appendTo = (fd: number, path: string, content: Uint8Array): Effect.Effect<void, FileFailed> =>
  attempt("write", path, () => fs.appendFileSync(fd, content))

/** Fills a buffer from a place in an open file, without blocking this process. Bytes behind the file's end stay as they are. */
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
