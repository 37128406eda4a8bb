import { Effect } from "effect"
import * as path from "node:path"
import { readText } from "../../system/files/content.ts"
import { statEntry, statFile } from "../../system/files/entries.ts"
import type { FileFailed } from "../../system/files/failure.ts"

/** Maximum bytes of a Dockerfile. Its parser needs a second for a hostile file of this size. */
const MAX_BYTES = 262_144

/** A Dockerfile and the directory of its context. */
export interface Dockerfile {
  readonly context: string
  /** Name of the file in the context. */
  readonly file: string
  readonly text: string
}

/** The Dockerfile in a directory, or a file whose directory is the context. Undefined if it is too large or no file. */
export const readDockerfile = (given: string): Effect.Effect<Dockerfile | undefined, FileFailed> =>
  Effect.gen(function*() {
    const isDirectory = (yield* statFile(given))?.isDirectory() === true
    const file = isDirectory ? path.join(given, "Dockerfile") : given
    const stat = yield* statEntry(file)
    if (stat === undefined || !stat.isFile() || stat.size > MAX_BYTES) return undefined
    return { context: path.dirname(file), file: path.basename(file), text: yield* readText(file) }
  })
