import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { readText } from "../system/files/content.ts"
import { statEntry, statFile } from "../system/files/entries.ts"
import type { FileFailed } from "../system/files/failure.ts"

/** Maximum bytes of a Dockerfile. Its parser needs a second for a hostile file of this size. */
const MAX_BYTES = 262_144

/** A Dockerfile and the directory of its context. */
export interface Dockerfile {
  readonly context: string
  /** Name of the file in the context. */
  readonly file: string
  readonly text: string
}

/** A name for the environment of the Dockerfile in a directory, always the same for the same directory. */
export const environmentOfDockerfile = (directory: string): string => {
  const word = path.basename(directory).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 32)
  const digest = createHash("sha256").update(directory).digest("hex")
  return `dockerfile-${word === "" ? "project" : word}-${digest.slice(0, 8)}`
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
