import { Effect } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import { IgnoreRules, TooManyRules } from "../../../lib/ignore/ignore-rules.ts"
import { forEachPiece } from "../../../lib/patch/format.ts"
import type { Change } from "../../../lib/patch/model/patch.ts"
import { parentsOf } from "../../../lib/seeding/model/pushed.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import { readBaseline, type Sources } from "./candidates.ts"

const MAX_FILE_BYTES = 256 * 1024
const MAX_TOTAL_BYTES = 4 * 1024 * 1024
/** Number of files to look at in one turn of the event loop. */
const FILES_PER_TURN = 1_000
/** Maximum work of one attribute: a tenth of a second. */
const MAX_WORK = 10_000_000

/** Attribute files of a workspace's own `.git`: the host user's with the lowest precedence, and the repository's with the highest. */
const USER = ".git/info/user-attributes"
const REPOSITORY = ".git/info/attributes"

/** An attribute by which git changes contents between the work tree and its objects. */
interface Conversion {
  /** Whether a word of an attribute file sets or unsets the attribute. `undefined`: the word is about another one. */
  readonly sets: (word: string) => boolean | undefined
  /** Whether git would refuse the patch of a change. */
  readonly breaks: (change: Change) => Effect.Effect<boolean>
}

const settingOf = (name: string, isNothing: (value: string) => boolean) => (word: string) =>
  word === `-${name}` || word === `!${name}`
    ? false
    : word.startsWith(`${name}=`)
    ? !isNothing(word.slice(name.length + 1))
    : undefined

/** A line of a patch that git looks for in the file. */
const expandedIdent = /^[ -].*\$Id:[^\n$]*\$/m

const hasIdent = (change: Change) =>
  Effect.gen(function*() {
    if (change.before === undefined || !Buffer.from(change.before.content).includes("$Id:")) return false
    const pieces: Array<Uint8Array> = []
    yield* forEachPiece([change], (piece) => void pieces.push(piece))
    return expandedIdent.test(Buffer.concat(pieces).toString("latin1"))
  })

const conversions: ReadonlyArray<Conversion> = [
  {
    sets: (word) => word === "ident" ? true : word === "-ident" || word === "!ident" ? false : undefined,
    breaks: hasIdent
  },
  {
    sets: settingOf("working-tree-encoding", (value) => /^utf-?8$/i.test(value)),
    breaks: () => Effect.succeed(true)
  },
  { sets: settingOf("filter", (value) => value === ""), breaks: ({ before }) => Effect.succeed(before !== undefined) }
]

/** The patterns of an attribute file that set or unset an attribute, in the form of an ignore file. */
const patternsFor = (text: string, { sets }: Conversion) =>
  text.replace(/^\xef\xbb\xbf/, "").split("\n").flatMap((line) => {
    const [, quoted, plain, words = ""] = /^[ \t\r]*(?:"((?:[^"\\]|\\.)*)"|([^\s"#[!]\S*))[ \t]+(.*)$/.exec(line) ?? []
    const pattern = quoted?.replace(/\\(.)/g, "$1") ?? plain
    const last = words.split(/[ \t\r]+/).map(sets).findLast((set) => set !== undefined)
    return pattern === undefined || pattern.endsWith("/") || last === undefined
      ? []
      : [`${last ? "" : "!"}${pattern}`]
  }).join("\n")

const words = /ident|working-tree-encoding|filter/
const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")))

/**
 * The files of a diff that git converts by its attributes `ident`, `working-tree-encoding` or `filter`: a patch has their bytes of the work
 * tree, and `git apply` compares with those of its objects, so it refuses the patch. The attributes are those of the baseline.
 */
export const convertedPaths = (
  sources: Sources,
  changes: ReadonlyArray<Change>
): Effect.Effect<ReadonlyArray<Uint8Array>, PyroError> =>
  Effect.gen(function*() {
    const files = changes.flatMap((change) => {
      const isLink = change.before?.mode === GIT_LINK || change.after?.mode === GIT_LINK
      return isLink ? [] : [{ change, path: Buffer.from(change.from ?? change.path).toString("latin1") }]
    })
    if (files.length === 0) return []
    const directories = [...new Set(files.flatMap(({ path }) => ["", ...parentsOf(path)]))]
    const at = (directory: string) => directory === "" ? ".gitattributes" : `${directory}/.gitattributes`
    const contents = yield* readBaseline(sources)([USER, REPOSITORY, ...directories.map(at)], {
      fileBytes: MAX_FILE_BYTES,
      total: { left: MAX_TOTAL_BYTES },
      linksAreAbsent: true
    })
    const texts = new Map([...contents].flatMap(([path, content]) => {
      const text = typeof content === "object" ? Buffer.from(content).toString("latin1") : ""
      return words.test(text) ? [[path, text] as const] : []
    }))
    if (texts.size === 0) return []
    const converted = new Set<Change>()
    for (const conversion of conversions) {
      const [own, tree] = [new IgnoreRules(MAX_WORK), new IgnoreRules(MAX_WORK)]
      own.exclude(patternsFor(texts.get(REPOSITORY) ?? "", conversion))
      tree.exclude(patternsFor(texts.get(USER) ?? "", conversion))
      for (const [path, text] of texts) {
        if (path !== USER && path !== REPOSITORY) tree.add(parentOf(path), patternsFor(text, conversion))
      }
      for (const [index, { change, path }] of files.entries()) {
        if (index % FILES_PER_TURN === 0) yield* yieldToEventLoop
        const set = verdictOf(own, tree, path)
        if (set === "too many rules") break
        if (set && (yield* conversion.breaks(change))) converted.add(change)
      }
    }
    return changes.filter((change) => converted.has(change)).map(({ path }) => path)
  })

/** Rules that take too long name no more files. */
const verdictOf = (own: IgnoreRules, tree: IgnoreRules, path: string): boolean | "too many rules" => {
  try {
    return own.matches(path) ?? tree.matches(path) ?? false
  } catch (error) {
    if (!(error instanceof TooManyRules)) throw error
    return "too many rules"
  }
}
