import { Effect } from "effect"
import { ExportRefused } from "../../contract/errors/errors.ts"
import { type NextStep, words } from "../../contract/errors/next-step.ts"
import { allowing, fewerEntries } from "../../contract/rows/larger.ts"
import type { ExportPayload, ExportRemark } from "../../contract/rows/workspace-export.ts"
import { type Losses, sizeText } from "../../contract/text/host-file-notes.ts"
import { isGitName, isPlainPath, raw } from "../../system/files/folded-name.ts"
import { nameSystem } from "../../system/files/portable-names.ts"
import { IgnoreRules, TooManyRules } from "../ignore/ignore-rules.ts"
import { LinkBudget, linkProblem } from "./links.ts"
import { shown } from "./names.ts"

/** An entry as a guest or another machine lists it. */
export interface ListedEntry {
  /** Relative to the exported path. */
  readonly path: Uint8Array
  readonly type: TreeEntry["type"] | keyof typeof odd
  readonly mode: number
  readonly size: number
  readonly mtimeNs: bigint
  /** Empty for others than links. */
  readonly linkTarget: Uint8Array
  /** Whether it has attributes that no export keeps. */
  readonly hasAttributes?: boolean | undefined
}

/** A file, directory or link to export. */
export interface TreeEntry {
  /** Raw, relative to the exported path; "" is that path itself. */
  readonly path: string
  readonly type: "file" | "directory" | "symlink"
  /** Permission bits that the host gets. */
  readonly mode: number
  readonly size: number
  /** Time of the last modification of a file, in ns since 1970, as the guest reports it. */
  readonly mtimeNs?: bigint | undefined
  /** Raw, of a link. */
  readonly target?: string | undefined
  /** Properties of the guest's file that no export keeps. */
  readonly loses?: ReadonlyArray<keyof Losses> | undefined
}

export const LESS = "Export less of it"

type Limits = Pick<ExportPayload, "maxMib" | "maxEntries">

const listedMost = 1_000
/** Maximum characters of remarks: a guest's names must not exceed the limit of a message. */
const charactersMost = 1024 * 1024

/** Paths with reasons for special treatment. Counts all, and lists the first ones. */
export class Remarks {
  readonly listed: Array<ExportRemark> = []
  count = 0
  #characters = 0

  add(path: string, reason: string) {
    this.count++
    if (this.listed.length === listedMost || this.#characters > charactersMost) return
    const remark = { path: shown(path), reason }
    this.#characters += remark.path.length + reason.length
    this.listed.push(remark)
  }
}

/** Longest path beneath the output, in `bytes`: pyro-put's limit. */
const pathMost = 3800
/** Maximum bytes of all paths and link targets, more than a million files need. */
const namesMost = 64 * 1024 * 1024
/** Maximum number of listed entries that are not exported (a .git has many files). An endless walk is hostile. */
const besidesMost = 1_000_000
const mib = 1024 * 1024
const odd = { character: "a device", block: "a device", fifo: "a FIFO", socket: "a socket" } as const

/** The mode on the host: no set-id bits, and no write permission for others. The owner can always empty a directory. */
const hostMode = (type: TreeEntry["type"], mode: number) =>
  type === "symlink" ? 0o777 : type === "directory" ? (mode & 0o755) | 0o700 : mode & 0o755

/** Set-user-ID and set-group-ID bits. */
const setIdBits = 0o6000

const lossesOf = ({ hasAttributes, mode, type }: ListedEntry): ReadonlyArray<keyof Losses> => [
  ...(type !== "symlink" && (mode & setIdBits) !== 0 ? ["setIds"] as const : []),
  ...(hasAttributes === true ? ["attributes"] as const : []),
  ...(nameSystem() === "windows" && type === "file" && (mode & 0o111) !== 0 ? ["executable"] as const : [])
]

export const entryOf = (path: string, found: ListedEntry): TreeEntry | string => {
  const { type } = found
  if (type !== "file" && type !== "directory" && type !== "symlink") return `it is ${odd[type]}`
  const loses = lossesOf(found)
  return {
    path,
    type,
    mode: hostMode(type, found.mode),
    size: type === "file" ? found.size : 0,
    ...(type === "file" ? { mtimeNs: BigInt.asIntN(64, found.mtimeNs) } : {}),
    ...(type === "symlink" ? { target: raw(found.linkTarget) } : {}),
    ...(loses.length === 0 ? {} : { loses })
  }
}

/** Whether a path, raw and relative to /workspace, is excluded by globs as in .gitignore. Throws `TooManyRules`. */
export const exclusion = (
  globs: ReadonlyArray<string>
): (path: string, isDirectory: boolean) => boolean => {
  if (globs.length === 0) return () => false
  const rules = new IgnoreRules()
  rules.exclude(globs.map((glob) => raw(Buffer.from(glob, "utf8"))).join("\n"))
  return (path, isDirectory) => rules.ignores(path, isDirectory)
}

export const tooManyGlobs = new ExportRefused({
  detail: "the globs to exclude take too long to match so many paths",
  next: [words("Give fewer globs, or name the paths to export")],
  paths: []
})

/** Collects the entries to export from a walk, which a hostile guest may have made up. */
export class TreeCollector {
  readonly skips = new Remarks()
  /** Paths that the caller excluded. */
  excludedCount = 0
  readonly #limits: Limits
  readonly #isExcluded: (path: string, isDirectory: boolean) => boolean
  readonly #entries = new Map<string, TreeEntry>()
  #names = 0
  #walked = 0

  constructor(
    root: TreeEntry,
    limits: Limits,
    isExcluded: (path: string, isDirectory: boolean) => boolean = () => false
  ) {
    this.#limits = limits
    this.#isExcluded = isExcluded
    this.#entries.set("", root)
  }

  /** Adds one entry. Gives an error if the export must fail. */
  add(found: ListedEntry): ExportRefused | undefined {
    const path = raw(found.path)
    if (++this.#walked > besidesMost + this.#limits.maxEntries) {
      return new ExportRefused({
        detail: `the guest lists more than ${besidesMost} paths that are not exported`,
        paths: []
      })
    }
    if (!isPlainPath(path)) {
      return new ExportRefused({ detail: "the guest names a path that no file can have", paths: [shown(path)] })
    }
    try {
      if (path.length <= pathMost && this.#isExcluded(path, found.type === "directory")) {
        this.excludedCount++
        return undefined
      }
    } catch (error) {
      if (!(error instanceof TooManyRules)) throw error
      return tooManyGlobs
    }
    const slash = path.lastIndexOf("/")
    const above = path.slice(0, Math.max(slash, 0))
    if (this.#entries.get(above)?.type !== "directory") {
      // An entry of a directory that was left out and reported.
      if (above.length > pathMost || above.split("/").some(isGitName)) return undefined
      return new ExportRefused({ detail: "the guest lists a path in no directory", paths: [shown(path)] })
    }
    // The walk of a changing directory may list an entry twice.
    if (this.#entries.has(path)) return undefined
    const reason = isGitName(path.slice(slash + 1))
      ? "it is named as a git directory"
      : path.length > pathMost
      ? "its path is too long"
      : undefined
    const entry = reason ?? entryOf(path, found)
    if (typeof entry === "string") {
      this.skips.add(path, entry)
      return undefined
    }
    this.#names += path.length + (entry.target?.length ?? 0)
    if (this.#names > namesMost) return this.#tooMuch(`${namesMost} bytes of names`, [words(LESS)])
    if (this.#entries.size >= this.#limits.maxEntries) {
      return this.#tooMuch(`${this.#limits.maxEntries} entries`, fewerEntries(LESS, this.#limits.maxEntries))
    }
    this.#entries.set(path, entry)
    return undefined
  }

  #tooMuch(most: string, next: ReadonlyArray<NextStep>) {
    return new ExportRefused({ detail: `it has more than ${most}`, paths: [], next })
  }

  /** The root first, parents before children, a directory's entries together, in the order of their bytes. */
  finish(): ReadonlyArray<TreeEntry> {
    const budget = new LinkBudget()
    const kept: Array<readonly [key: string, entry: TreeEntry]> = []
    for (const entry of this.#entries.values()) {
      const problem = entry.target === undefined
        ? undefined
        : linkProblem(this.#entries, entry.path, entry.target, budget)
      if (problem === undefined) kept.push([entry.path.replaceAll("/", "\0"), entry])
      else this.skips.add(entry.path, problem)
    }
    return kept.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0).map(([, entry]) => entry)
  }
}

/** Fails if the entries have more content than allowed. */
export const demandSize = (
  entries: ReadonlyArray<TreeEntry>,
  limits: Pick<Limits, "maxMib">
): Effect.Effect<void, ExportRefused> => {
  const bytes = entries.reduce((sum, { size }) => sum + size, 0)
  if (bytes <= limits.maxMib * mib) return Effect.void
  const largest = entries.filter(({ type }) => type === "file").sort((a, b) => b.size - a.size).slice(0, 3)
  return new ExportRefused({
    detail: `it has ${sizeText(bytes)}, more than ${limits.maxMib} MiB`,
    next: [allowing(LESS, "max_mib", Math.ceil(bytes / mib))],
    paths: largest.map(({ path, size }) => `${path === "" ? "the file" : shown(path)}: ${sizeText(size)}`)
  })
}
