import { type Effect, Schema } from "effect"
import * as path from "node:path"
import { printable } from "../../../contract/text/printable.ts"
import { attempt, type FileFailed } from "../../../system/files/failure.ts"
import { fileSize, readBounded } from "./host-files.ts"

/** Rule files above a seed, by their directory in the repository. */
const RuleFiles = Schema.Array(Schema.Struct({ directory: Schema.String, text: Schema.String }))

/** Attributes that change the bytes of files. */
const Attributes = Schema.Struct({
  files: RuleFiles,
  /** `.git/info/attributes`, which precedes all files. */
  repository: Schema.String,
  /** Those of the system and the user, which all files precede. */
  user: Schema.String
})

/**
 * Rules of git about a seed that no file of the seed has: those above its directory, of the repository and of the user. All texts have one
 * character for each byte.
 */
export const OuterRules = Schema.Struct({
  /** Directory of the seed in its repository; "" is the repository's top. */
  prefix: Schema.String,
  /** The ignore files. */
  files: RuleFiles,
  /** The ignore rules of lowest precedence: `.git/info/exclude` and the user's own. */
  exclude: Schema.String,
  /** @default those of the seed's `.git`, as in records of an older pyro */
  attributes: Schema.optionalKey(Attributes)
})
export type OuterRules = typeof OuterRules.Type

/** Maximum bytes of all rule files above a seed. Each point and each snapshot has a copy. */
const MAX_TOTAL_BYTES = 1024 * 1024

export const hasRules = ({ attributes, exclude, files }: OuterRules) =>
  exclude !== "" || files.length > 0 || (attributes !== undefined && (
    attributes.files.length > 0 || attributes.repository !== "" || attributes.user !== ""
  ))

/** A path of the seed in its repository. */
export const inRepository = (prefix: string, path: string) =>
  prefix === "" ? path : path === "" ? prefix : `${prefix}/${path}`

/** The lines with a rule: a file of comments alone, as `git init` makes it, counts as none. */
const withoutComments = (rules: Uint8Array | undefined) =>
  Buffer.from(rules ?? []).toString("latin1").replace(/^\xef\xbb\xbf/, "").split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#")).map((line) => `${line}\n`).join("")

/** The lines that may be about bytes of files. */
const aboutBytes = (rules: Uint8Array | undefined) =>
  withoutComments(rules).split("\n").filter((line) =>
    /ident|working-tree-encoding|filter|eol|text|crlf|binary/.test(line)
  )
    .map((line) => `${line}\n`).join("")

const latin1 = (text: string) => Buffer.from(text).toString("latin1")

/** Reads the rules about a directory of a work tree. `workTree` is the open work tree, `top` its real path. */
export const readOuterRules = (
  { attributes, directory, exclude, top, userAttributes, workTree }: {
    readonly workTree: string
    readonly top: string
    readonly directory: string
    readonly exclude: Uint8Array | undefined
    readonly attributes: Uint8Array | undefined
    readonly userAttributes: Uint8Array | undefined
  },
  notes: Array<string>
): Effect.Effect<OuterRules, FileFailed> =>
  attempt("read", top, () => {
    const prefix = path.relative(top, directory)
    const names = prefix === "" ? [] : prefix.split("/")
    let left = MAX_TOTAL_BYTES
    const filesCalled = (
      name: string,
      { kind, lines }: { readonly kind: string; readonly lines: (content: Uint8Array | undefined) => string }
    ) =>
      names.flatMap((_, depth) => {
        const above = names.slice(0, depth).join("/")
        const file = path.join(above, name)
        const content = readBounded(path.join(workTree, file), left)
        if (content === undefined && (fileSize(path.join(workTree, file)) ?? 0) > left) {
          notes.push(`the ${kind} of ${printable(path.join(top, file))} do not count for diffs: the file is too large`)
        }
        left -= content?.length ?? 0
        const text = lines(content)
        return text === "" ? [] : [{ directory: latin1(above), text }]
      })
    return {
      prefix: latin1(prefix),
      files: filesCalled(".gitignore", { kind: "ignore rules", lines: withoutComments }),
      exclude: withoutComments(exclude),
      attributes: {
        files: filesCalled(".gitattributes", { kind: "attributes", lines: aboutBytes }),
        repository: aboutBytes(attributes),
        user: aboutBytes(userAttributes)
      }
    }
  })
