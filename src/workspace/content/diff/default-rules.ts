import { Effect } from "effect"
import { parentsOf } from "../../../lib/seeding/model/pushed.ts"
import type { Candidate, Sources } from "./candidates.ts"
import { missingIn } from "./contents.ts"

/** pnpm puts its store at the top of a mount that is not the home directory's, as /workspace is. No project has rules for it. */
const PNPM_STORE = ".pnpm-store"

/** Directories that tools make and that no person edits, by name. */
const DIRECTORIES: ReadonlySet<string> = new Set([
  "__pycache__",
  "node_modules",
  PNPM_STORE,
  ".venv",
  ".pytest_cache",
  ".mypy_cache",
  ".ruff_cache",
  ".tox",
  ".gradle"
])
/** A directory of this name counts beside one of these files only: other projects keep sources in theirs. */
const OUTPUT = "target"
const OUTPUT_MAKERS = ["Cargo.toml", "pom.xml"] as const
const COMPILED = ".pyc"

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")))
const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1)
const below = (directory: string, name: string) => directory === "" ? name : `${directory}/${name}`

/** A path that matches the list, and its pattern as in an ignore file. */
interface Match {
  readonly path: string
  readonly pattern: string
}

/** Finds the outermost match at or above a new path, among these directories. */
const matcher = (made: ReadonlySet<string>) => {
  const known = new Map<string, Match | undefined>()
  const ofDirectory = (directory: string): Match | undefined => {
    if (directory === "") return undefined
    if (known.has(directory)) return known.get(directory)
    const match = ofDirectory(parentOf(directory)) ??
      (made.has(directory) ? { path: directory, pattern: `${nameOf(directory)}/` } : undefined)
    known.set(directory, match)
    return match
  }
  return ({ new: after, path }: Candidate): Match | undefined =>
    after?.type === "directory"
      ? ofDirectory(path)
      : ofDirectory(parentOf(path)) ?? (path.endsWith(COMPILED) ? { path, pattern: `*${COMPILED}` } : undefined)
}

/** New directories that match the list. A directory of the baseline never matches. */
const madeDirectories = ({ channel, pushed, trees }: Sources, found: ReadonlyArray<Candidate>) =>
  Effect.gen(function*() {
    const made = new Set(
      found.flatMap(({ new: after, old, path }) =>
        old === undefined && after?.type === "directory" && (DIRECTORIES.has(nameOf(path)) || nameOf(path) === OUTPUT)
          ? [path]
          : []
      )
    )
    for (const [path, entry] of pushed.entries) {
      if (entry._tag === "file") { for (const parent of parentsOf(path)) made.delete(parent) }
    }
    const outputs = [...made].filter((path) => nameOf(path) === OUTPUT)
    const makersOf = (output: string) => OUTPUT_MAKERS.map((maker) => below(parentOf(output), maker))
    const absent = new Set(yield* missingIn(channel, trees.live, outputs.flatMap(makersOf)))
    for (const output of outputs) if (makersOf(output).every((maker) => absent.has(maker))) made.delete(output)
    return made
  })

interface Request {
  /** Candidates that no other rule excludes. */
  readonly candidates: ReadonlyArray<Candidate>
  /** All differences. */
  readonly found: ReadonlyArray<Candidate>
  /** Directories of the baseline with an ignore file, and the top if it has other rules. */
  readonly ruled: ReadonlySet<string>
  /** The requested paths. */
  readonly named: ReadonlyArray<string>
}

/**
 * Splits off new files that tools make, such as `node_modules/`, where the baseline has neither an ignore file nor a repository at or above them:
 * nothing else would distinguish them from a person's files. pnpm's store at the top never stays. A file of the baseline, in a directory of the
 * baseline with such a name, or at a requested path always stays. `patterns` has those that excluded something.
 */
export const withoutDefaults = (
  sources: Sources,
  { candidates, found, named, ruled }: Request
) =>
  Effect.gen(function*() {
    const matchOf = matcher(yield* madeDirectories(sources, found))
    const isNamed = ({ path }: Match) => named.some((one) => one === path || one.startsWith(`${path}/`))
    const matches = new Map(candidates.flatMap((candidate) => {
      const match = candidate.old === undefined ? matchOf(candidate) : undefined
      return match === undefined ? [] : [[candidate, match] as const]
    }))
    if (matches.size === 0) return { kept: candidates, patterns: [] }
    const distinct = [...new Set(matches.values())]
    const above = ({ path }: Match) => ["", ...parentsOf(path)]
    const gits = [...new Set(distinct.flatMap(above))].map((directory) => below(directory, ".git"))
    const absent = new Set(yield* missingIn(sources.channel, sources.trees.baseline, gits))
    const repositories = new Set(gits.filter((git) => !absent.has(git)).map(parentOf))
    const left = new Set(
      distinct.filter((match) =>
        !isNamed(match) &&
        (match.path === PNPM_STORE ||
          above(match).every((directory) => !ruled.has(directory) && !repositories.has(directory)))
      )
    )
    return {
      kept: candidates.filter((candidate) => {
        const match = matches.get(candidate)
        return match === undefined || !left.has(match)
      }),
      patterns: [...new Set([...left].map(({ pattern }) => pattern))].sort()
    }
  })
