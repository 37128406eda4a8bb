import { type Effect, Schema } from "effect"
import * as path from "node:path"
import { printable } from "../../../contract/text/printable.ts"
import { attempt, type FileFailed } from "../../../system/files/failure.ts"
import { fileSize, readBounded } from "./host-files.ts"

/**
 * Ignore rules about a seed that no file of the seed has: those above its directory, of the repository and of the user. All texts have one
 * character for each byte.
 */
export const OuterRules = Schema.Struct({
  /** Directory of the seed in its repository; "" is the repository's top. */
  prefix: Schema.String,
  /** The ignore files above the seed, by their directory in the repository. */
  files: Schema.Array(Schema.Struct({ directory: Schema.String, text: Schema.String })),
  /** The rules of lowest precedence: `.git/info/exclude` and the user's own. */
  exclude: Schema.String
})
export type OuterRules = typeof OuterRules.Type

/** Maximum bytes of all ignore files above a seed. Each point and each snapshot has a copy. */
const MAX_TOTAL_BYTES = 1024 * 1024

export const hasRules = ({ exclude, files }: OuterRules) => exclude !== "" || files.length > 0

/** The lines with a rule: a file of comments alone, as `git init` makes it, counts as none. */
const withoutComments = (rules: Uint8Array | undefined) =>
  Buffer.from(rules ?? []).toString("latin1").replace(/^\xef\xbb\xbf/, "").split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#")).map((line) => `${line}\n`).join("")

const latin1 = (text: string) => Buffer.from(text).toString("latin1")

/** Reads the rules about a directory of a work tree. `workTree` is the open work tree, `top` its real path. */
export const readOuterRules = (
  { directory, exclude, top, workTree }: {
    readonly workTree: string
    readonly top: string
    readonly directory: string
    readonly exclude: Uint8Array | undefined
  },
  notes: Array<string>
): Effect.Effect<OuterRules, FileFailed> =>
  attempt("read", top, () => {
    const prefix = path.relative(top, directory)
    const names = prefix === "" ? [] : prefix.split("/")
    let left = MAX_TOTAL_BYTES
    const files = names.flatMap((_, depth) => {
      const above = names.slice(0, depth).join("/")
      const file = path.join(above, ".gitignore")
      const content = readBounded(path.join(workTree, file), left)
      if (content === undefined && (fileSize(path.join(workTree, file)) ?? 0) > left) {
        notes.push(
          `the ignore rules of ${printable(path.join(top, file))} do not count for diffs: the file is too large`
        )
      }
      left -= content?.length ?? 0
      const text = withoutComments(content)
      return text === "" ? [] : [{ directory: latin1(above), text }]
    })
    return {
      prefix: latin1(prefix),
      files,
      exclude: withoutComments(exclude)
    }
  })
