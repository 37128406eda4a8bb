import { Data, Effect, type Scope } from "effect"
import { chmod, mkdtemp, open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** No temporary file can be written; the detail names the directory and the reason. */
export class SpoolFailed extends Data.TaggedError("SpoolFailed")<{ readonly detail: string }> {}

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

/** A new file with these permission bits, whatever the umask, in a directory of its own. Both go when the scope closes. */
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
