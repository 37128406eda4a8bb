import { Effect } from "effect"
import { IgnoreRules, TooManyRules } from "../../lib/ignore/ignore-rules.ts"
import { inRepository } from "../../lib/seeding/model/outer-rules.ts"
import { parentsOf, type Pushed } from "../../lib/seeding/model/pushed.ts"
import type { ReadLimits } from "./diff/contents.ts"

const MAX_FILE_BYTES = 256 * 1024
const MAX_TOTAL_BYTES = 4 * 1024 * 1024
/** Maximum work of one attribute: a tenth of a second. */
const MAX_WORK = 10_000_000

/** Attribute files of a workspace's own `.git`: the host user's with the lowest precedence, and the repository's with the highest. */
const USER = ".git/info/user-attributes"
const REPOSITORY = ".git/info/attributes"

/** Texts of attribute files, with one character for each byte. */
interface AttributeTexts {
  /** Directory of the tree in its repository; "" is the repository's top. */
  readonly prefix: string
  readonly repository: string
  readonly user: string
  /** By the directory in the repository. */
  readonly files: ReadonlyMap<string, string>
}

/** Whether a word of an attribute file sets or unsets an attribute. `undefined`: the word is about another one. */
export type Sets = (word: string) => boolean | undefined

/** The words of an attribute with a value. */
export const settingOf = (name: string, isNothing: (value: string) => boolean): Sets => (word) =>
  word === `-${name}` || word === `!${name}`
    ? false
    : word.startsWith(`${name}=`)
    ? !isNothing(word.slice(name.length + 1))
    : undefined

type Contents = ReadonlyMap<string, Uint8Array | string>

/**
 * The attributes that hold for files of a workspace: those in the directories above the files, and those outside of the tree, as the host
 * had them at the creation or the last push, or else as the seed's `.git` has them. `undefined`: no text has a word of these.
 */
export const attributesFor = <E>(
  paths: ReadonlyArray<string>,
  { read, rules, words }: {
    readonly read: (paths: ReadonlyArray<string>, limits: ReadLimits) => Effect.Effect<Contents, E>
    readonly rules: Pushed["rules"]
    readonly words: RegExp
  }
): Effect.Effect<AttributeTexts | undefined, E> =>
  Effect.gen(function*() {
    const directories = [...new Set(paths.flatMap((path) => ["", ...parentsOf(path)]))]
    const at = (directory: string) => directory === "" ? ".gitattributes" : `${directory}/.gitattributes`
    const outer = rules?.attributes
    const own = outer === undefined ? [USER, REPOSITORY] : []
    const contents = yield* read([...own, ...directories.map(at)], {
      fileBytes: MAX_FILE_BYTES,
      total: { left: MAX_TOTAL_BYTES },
      linksAreAbsent: true
    })
    const textOf = (path: string) => {
      const content = contents.get(path)
      return typeof content === "object" ? Buffer.from(content).toString("latin1") : ""
    }
    const prefix = rules?.prefix ?? ""
    const files = [
      ...(outer?.files ?? []).map(({ directory, text }) => [directory, text] as const),
      ...directories.map((directory) => [inRepository(prefix, directory), textOf(at(directory))] as const)
    ].filter(([, text]) => words.test(text))
    const { repository, user } = outer ?? { repository: textOf(REPOSITORY), user: textOf(USER) }
    return files.length === 0 && !words.test(repository) && !words.test(user)
      ? undefined
      : { prefix, repository, user, files: new Map(files) }
  })

/** The patterns of an attribute file that set or unset an attribute, in the form of an ignore file. */
const patternsFor = (text: string, sets: Sets) =>
  text.replace(/^\xef\xbb\xbf/, "").split("\n").flatMap((line) => {
    const [, quoted, plain, words = ""] = /^[ \t\r]*(?:"((?:[^"\\]|\\.)*)"|([^\s"#[!]\S*))[ \t]+(.*)$/.exec(line) ?? []
    const pattern = quoted?.replace(/\\(.)/g, "$1") ?? plain
    const last = words.split(/[ \t\r]+/).map(sets).findLast((set) => set !== undefined)
    return pattern === undefined || pattern.endsWith("/") || last === undefined
      ? []
      : [`${last ? "" : "!"}${pattern}`]
  }).join("\n")

/** The files for which an attribute is set, by their path in the tree. Rules that take too long are "too many rules". */
export const filesWith = ({ files, prefix, repository, user }: AttributeTexts, sets: Sets) => {
  const [own, tree] = [new IgnoreRules(MAX_WORK), new IgnoreRules(MAX_WORK)]
  own.exclude(patternsFor(repository, sets))
  tree.exclude(patternsFor(user, sets))
  for (const [directory, text] of files) tree.add(directory, patternsFor(text, sets))
  return (path: string): boolean | "too many rules" => {
    try {
      return own.matches(inRepository(prefix, path)) ?? tree.matches(inRepository(prefix, path)) ?? false
    } catch (error) {
      if (!(error instanceof TooManyRules)) throw error
      return "too many rules"
    }
  }
}
