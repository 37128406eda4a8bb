import { Data, Effect } from "effect"
import { NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"

/** The host refused an operation on a file of pyro's own, or the file's content is damaged. */
export class FileFailed extends Data.TaggedError("FileFailed")<{
  /** Operation that failed, such as `open` or `write`: a system call where Node names one. */
  readonly operation: string
  readonly path: string
  /** Name of the errno, such as `ENOSPC`; undefined where the content is damaged. */
  readonly code?: string | undefined
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message() {
    return `${this.path}: ${this.detail}`
  }
}

/**
 * Whether Node's file functions threw it because of the host: an errno, or Node's code for a path with a NUL byte, which a caller may have
 * typed. All other codes of Node (`ERR_…`) are defects of the program.
 */
const isSystemError = (cause: unknown): cause is NodeJS.ErrnoException & { readonly code: string } =>
  cause instanceof Error && /^(E[A-Z0-9]+|ERR_INVALID_ARG_VALUE)$/.test((cause as NodeJS.ErrnoException).code ?? "")

/** Whether the file system is full, or the user's quota of blocks or inodes is used up. */
export const isDiskFull = (cause: unknown): boolean => {
  const code = (cause as { readonly code?: unknown } | undefined | null)?.code
  return code === "ENOSPC" || code === "EDQUOT"
}

export const isMissing = ({ code }: { readonly code?: string | undefined }): boolean => code === "ENOENT"

/** The failure of a system error. Any other exception is a defect of the program. */
const failureOf = (operation: string, path: string, cause: unknown): Effect.Effect<never, FileFailed> =>
  isSystemError(cause)
    ? new FileFailed({
      operation: cause.syscall ?? operation,
      path,
      code: cause.code,
      detail: cause.message,
      cause
    })
    : Effect.die(cause)

/**
 * Runs one or more file functions of Node in this turn of the event loop: a hop through the thread pool costs more than most of them.
 * `path` is the file or the folder that the caller works on; the detail names the file at fault.
 */
export const attempt = <A>(operation: string, path: string, work: () => A): Effect.Effect<A, FileFailed> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(work())
    } catch (cause) {
      return failureOf(operation, path, cause)
    }
  })

/** The same in Node's thread pool, for work whose time grows with the size of a file or of a tree. */
export const attemptAsync = <A>(
  operation: string,
  path: string,
  work: (signal: AbortSignal) => Promise<A>
): Effect.Effect<A, FileFailed> =>
  Effect.catchDefect(Effect.promise(work), (cause) => failureOf(operation, path, cause))

/** The caller's error for a failed file operation: a full disk has its own. */
export const toHostError = (failure: FileFailed): NoSpace | StateDirectoryUnusable =>
  toHostErrorOf(failure.path)(failure)

/** The same with the caller's folder instead of the file. */
export const toHostErrorOf = (folder: string) => (failure: FileFailed): NoSpace | StateDirectoryUnusable =>
  isDiskFull(failure)
    ? new NoSpace({ where: "state directory", path: folder, neededMib: 1, availableMib: 0 })
    : new StateDirectoryUnusable({ path: folder, detail: failure.detail })
