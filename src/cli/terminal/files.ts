import { Data, Effect, type Scope } from "effect"
import { opendirSync, readdirSync, statSync } from "node:fs"
import { chmod, mkdtemp, open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { isAbsolute, join, sep } from "node:path"

export { isAbsolute }

/** Whether a path of the host leads to a directory. */
export const isDirectory = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    return false
  }
}

/** Whether a typed path names a directory by its end. */
export const endsWithSeparator = (file: string): boolean => file.endsWith("/") || file.endsWith(sep)

/** Maximum entries of the working directory to read. A shell lists a larger directory itself after a typed slash. */
const MOST_ENTRIES = 10_000

/** Files of the working directory with this prefix; directories end with a slash. Hidden files need a dot in the prefix. */
export const filesHere = (prefix: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  try {
    const folder = opendirSync(".")
    try {
      for (let looks = 0, entry = folder.readSync(); entry !== null && looks < MOST_ENTRIES; looks++) {
        const { name } = entry
        if (name.startsWith(prefix) && (prefix !== "" || !name.startsWith("."))) {
          found.push(isDirectory(name) ? `${name}/` : name)
        }
        entry = folder.readSync()
      }
    } finally {
      folder.closeSync()
    }
  } catch {
    // The directory is gone or unreadable.
  }
  return found
}

/** Paths of the files in a directory, sorted, without hidden ones. Undefined for a path that is none, or that cannot be read. */
export const filesIn = (directory: string): ReadonlyArray<string> | undefined => {
  try {
    if (!isDirectory(directory)) return undefined
    return readdirSync(directory)
      .filter((name) => !name.startsWith("."))
      .map((name) => join(directory, name))
      .filter((file) => !isDirectory(file))
      .sort()
  } catch {
    return undefined
  }
}

/** No temporary file can be written; the detail names the directory and the reason. */
class SpoolFailed extends Data.TaggedError("SpoolFailed")<{ readonly detail: string }> {}

/** A temporary file of the user's own. */
export interface Spool {
  readonly path: string
  readonly append: (pieces: ReadonlyArray<Uint8Array>) => Effect.Effect<void, SpoolFailed>
}

const attempt = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({
    try: work,
    catch: (cause) => {
      const { code, message } = cause as NodeJS.ErrnoException
      return new SpoolFailed({ detail: `nothing can be kept in ${tmpdir()}, which TMPDIR names: ${code ?? message}` })
    }
  })

/** A new file with these permission bits, whatever the umask, in its own directory. The Scope removes both. */
export const spool = (mode: number): Effect.Effect<Spool, SpoolFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      attempt(() => mkdtemp(join(tmpdir(), "pyro-stdin-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
    )
    const path = join(folder, "stdin")
    const file = yield* Effect.acquireRelease(
      attempt(() => open(path, "wx", mode)),
      (file) => Effect.promise(() => file.close())
    )
    yield* attempt(() => chmod(path, mode))
    return { path, append: (pieces) => attempt(() => file.appendFile(Buffer.concat(pieces))) }
  })
