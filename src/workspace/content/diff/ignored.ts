import { Effect } from "effect"
import { FileRefused } from "../../../contract/errors/errors.ts"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import { IgnoreRules, TooManyRules } from "../../../lib/ignore/ignore-rules.ts"
import { inRepository, type OuterRules } from "../../../lib/seeding/model/outer-rules.ts"
import { type Pushed, pushedContent } from "../../../lib/seeding/model/pushed.ts"
import { yieldToEventLoop } from "../../../system/waits/effects.ts"
import type { Candidate, Sources } from "./candidates.ts"
import { readContents } from "./contents.ts"
import { withoutDefaults } from "./default-rules.ts"
import { withoutNested } from "./nested.ts"

const MAX_FILE_BYTES = 1024 * 1024
const MAX_TOTAL_BYTES = 8 * 1024 * 1024

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")))

/** Directories of the baseline above new files, whose rules apply. "" is the top. */
const ruleDirectories = (candidates: ReadonlyArray<Candidate>) => {
  const isNew = new Set(candidates.flatMap(({ old, path }) => old?.type === "directory" ? [] : [path]))
  const directories = new Set<string>()
  for (const candidate of candidates) {
    if (candidate.old !== undefined) continue
    let directory = parentOf(candidate.path)
    while (!directories.has(directory)) {
      if (!isNew.has(directory)) directories.add(directory)
      if (directory === "") break
      directory = parentOf(directory)
    }
  }
  return [...directories]
}

/**
 * Splits ignored candidates and those in new repositories from the rest, and counts the ignored ones without directories. The rules come from the baseline, or
 * from a default list where the baseline has none, and from ignore files that the guest made or changed, which can only exclude more. As in git, a file of the baseline is never ignored. `found`
 * has all differences, `candidates` has the differences at the requested paths, `named`.
 */
export const withoutIgnored = (
  sources: Sources,
  candidates: ReadonlyArray<Candidate>,
  found: ReadonlyArray<Candidate>,
  named: ReadonlyArray<string>
) =>
  Effect.gen(function*() {
    if (candidates.every(({ old }) => old !== undefined)) {
      return { kept: candidates, ignoredCount: 0, defaultRules: [], nested: [] }
    }
    const { channel, pushed, trees } = sources
    const excludePath = ".git/info/exclude"
    const fileIn = (directory: string) => directory === "" ? ".gitignore" : `${directory}/.gitignore`
    const directories = ruleDirectories(candidates)
    const ruleFiles = [excludePath, ...directories.map(fileIn)]
    const total = { left: MAX_TOTAL_BYTES }
    const seeded = yield* readContents(channel, trees.baseline, ruleFiles.filter((file) => !pushed.entries.has(file)), {
      fileBytes: MAX_FILE_BYTES,
      total,
      linksAreAbsent: true
    })
    const texts = new Map(seeded)
    for (const file of ruleFiles) {
      const entry = pushed.entries.get(file)
      if (entry?._tag !== "file" || entry.mode === GIT_LINK) continue
      total.left -= entry.size
      const isTooLarge = entry.size > MAX_FILE_BYTES || total.left < 0
      texts.set(file, isTooLarge ? "too large" : yield* pushedContent(pushed, file, entry))
    }
    if ([...texts.values()].includes("too large")) return yield* tooManyRules
    const textOf = (path: string) => {
      const content = texts.get(path)
      return typeof content === "object" ? Buffer.from(content).toString("latin1") : undefined
    }
    const ruleTexts = new Map(directories.flatMap((directory) => {
      const text = textOf(fileIn(directory))
      return text === undefined ? [] : [[directory, text] as const]
    }))
    const outer = yield* outerRules(pushed, textOf(excludePath))
    const { kept: byBaseline, patterns } = yield* withoutDefaults(sources, {
      candidates: yield* keptBy(rulesOf(outer, ruleTexts), candidates, outer),
      found,
      named,
      ruled: new Set([...ruleTexts.keys(), ...(outer.files.length > 0 || outer.exclude !== undefined ? [""] : [])])
    })
    const guest = byBaseline.every(({ old }) => old !== undefined)
      ? undefined
      : yield* guestRules(sources, found, ruleTexts, outer)
    // Guest rules that cost too much do not count.
    const kept = guest === undefined
      ? byBaseline
      : yield* keptBy(guest, byBaseline, outer).pipe(Effect.orElseSucceed(() => byBaseline))
    const files = (of: ReadonlyArray<Candidate>) => of.filter((one) => one.new?.type !== "directory").length
    return {
      ...yield* withoutNested(sources, kept, named),
      ignoredCount: files(candidates) - files(kept),
      defaultRules: patterns
    }
  })

/** Rules that no ignore file of the tree has, about a tree that is a directory of a repository, or its top (""). */
interface Outer {
  readonly prefix: string
  readonly files: OuterRules["files"]
  readonly exclude: string | undefined
}

/** The rules of a repository with the files of a directory of it. */
const rulesOf = (
  { exclude, files, prefix }: Outer,
  texts: ReadonlyMap<string, string>,
  maxWork?: number
): IgnoreRules => {
  const rules = new IgnoreRules(maxWork)
  for (const { directory, text } of files) rules.add(directory, text)
  for (const [directory, text] of texts) rules.add(inRepository(prefix, directory), text)
  if (exclude !== undefined) rules.exclude(exclude)
  return rules
}

/**
 * The rules outside of the tree: those that the host had at the creation or the last push, or else the ones of the seeded repository. None
 * that exclude the whole seed: then all its files were asked for.
 */
const outerRules = ({ rules }: Pushed, seeded: string | undefined): Effect.Effect<Outer, FileRefused> => {
  const inTree = { prefix: "", files: [], exclude: seeded }
  if (rules === undefined) return Effect.succeed(inTree)
  const { exclude, files, prefix } = rules
  const outer = { prefix, files, exclude: exclude === "" ? undefined : exclude }
  return prefix === ""
    ? Effect.succeed(outer)
    : countingRules(() => rulesOf(outer, new Map()).ignores(prefix, true) ? inTree : outer)
}

const countingRules = <A>(look: () => A): Effect.Effect<A, FileRefused> =>
  Effect.try({
    try: look,
    catch: (error) => {
      if (!(error instanceof TooManyRules)) throw error
      return tooManyRules
    }
  })

/** Work between two turns of other requests: some 20 ms. */
const SLICE_WORK = 2_000_000

/** Candidates that no rule excludes. */
const keptBy = (rules: IgnoreRules, candidates: ReadonlyArray<Candidate>, { prefix }: Pick<Outer, "prefix">) =>
  Effect.gen(function*() {
    const kept: Array<Candidate> = []
    let at = 0
    while (at < candidates.length) {
      if (at > 0) yield* yieldToEventLoop
      yield* countingRules(() => {
        const until = rules.workDone + SLICE_WORK
        for (; at < candidates.length && rules.workDone < until; at++) {
          const { new: after, old, path } = candidates[at]!
          const isKept = old !== undefined || !rules.ignores(inRepository(prefix, path), after?.type === "directory")
          if (isKept) kept.push(candidates[at]!)
        }
      })
    }
    return kept
  })

const tooManyRules = new FileRefused({
  path: "/workspace/.gitignore",
  reason: "too_large",
  detail:
    "the ignore rules of the baseline are too many for what changed; ask for ignored files too, to do without them"
})

/** Limits of ignore files that a guest made or changed. Rules above the limits are skipped, so they hide nothing. */
const MAX_GUEST_FILES = 1_000
const MAX_GUEST_FILE_BYTES = 64 * 1024
const MAX_GUEST_TOTAL_BYTES = 256 * 1024
/** A quarter of the baseline's limit: half a second, in slices. */
const MAX_GUEST_WORK = 50_000_000

const isIgnoreFile = (path: string) => path === ".gitignore" || path.endsWith("/.gitignore")

/**
 * The ignore rules of a live tree. `undefined` if its ignore files equal those of the baseline. `baseline` has the texts of the
 * baseline's ignore files, by directory.
 */
const guestRules = (
  { channel, trees }: Sources,
  found: ReadonlyArray<Candidate>,
  baseline: ReadonlyMap<string, string>,
  outer: Outer
) =>
  Effect.gen(function*() {
    const changed = found.filter(({ path }) => isIgnoreFile(path))
    const files = changed.flatMap(({ new: after, path }) =>
      after?.type === "file" && after.size > 0 && after.size <= MAX_GUEST_FILE_BYTES ? [path] : []
    )
    if (files.length === 0) return undefined
    const depth = (path: string) => path.split("/").length
    const read = files.sort((one, other) => depth(one) - depth(other)).slice(0, MAX_GUEST_FILES)
    const contents = yield* readContents(channel, trees.live, read, {
      fileBytes: MAX_GUEST_FILE_BYTES,
      total: { left: MAX_GUEST_TOTAL_BYTES },
      linksAreAbsent: true
    })
    const isChanged = new Set(changed.map(({ path }) => parentOf(path)))
    const texts = new Map([...baseline].filter(([directory]) => !isChanged.has(directory)))
    for (const [path, content] of contents) {
      if (typeof content === "object") texts.set(parentOf(path), Buffer.from(content).toString("latin1"))
    }
    return rulesOf(outer, texts, MAX_GUEST_WORK)
  })
