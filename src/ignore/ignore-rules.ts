import { type IgnoreRule, readIgnoreFile, ruleMatches } from "./rules/ignore-file.ts"
import { TooManyRules, type Work } from "./rules/wildmatch.ts"

export { TooManyRules }

/** Maximum cost in bytes and rules: some seconds of work. A hostile repository could ask for any number. */
const MAX_WORK = 200_000_000
/** Minimum cost of one rule check. */
const RULE_WORK = 20

/** Files that a tree's ignore files exclude. Paths are byte strings relative to the tree. */
export class IgnoreRules {
  /** By the directory they stand in, "" for the top. */
  readonly #files = new Map<string, ReadonlyArray<IgnoreRule>>()
  /** Rules of lowest precedence for the whole tree: .git/info/exclude. */
  #exclude: ReadonlyArray<IgnoreRule> = []
  readonly #directories = new Map<string, boolean>()
  readonly #most: number
  readonly #work: Work

  /** `maxWork` is the maximum cost in bytes and rules. */
  constructor(maxWork = MAX_WORK) {
    this.#most = maxWork
    this.#work = { left: maxWork }
  }

  /** Cost of the checks so far, for callers that yield to other work. */
  get workDone() {
    return this.#most - this.#work.left
  }

  /** Content of a `.gitignore`, a byte string. */
  add(directory: string, text: string) {
    this.#files.set(directory, readIgnoreFile(text))
  }

  exclude(text: string) {
    this.#exclude = readIgnoreFile(text)
  }

  /** Whether an ignore rule excludes an entry or a directory above it. Throws `TooManyRules`. */
  ignores(path: string, isDirectory: boolean): boolean {
    if (isDirectory) {
      const known = this.#directories.get(path)
      if (known !== undefined) return known
    }
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")))
    const ignored = (parent !== "" && this.ignores(parent, true)) || this.#isExcluded(path, parent, isDirectory)
    if (isDirectory) this.#directories.set(path, ignored)
    return ignored
  }

  #isExcluded(path: string, parent: string, isDirectory: boolean): boolean {
    for (let directory = parent;; directory = directory.slice(0, Math.max(0, directory.lastIndexOf("/")))) {
      const rules = this.#files.get(directory)
      const relative = directory === "" ? path : path.slice(directory.length + 1)
      const last = rules === undefined ? undefined : this.#lastMatch(rules, relative, isDirectory)
      if (last !== undefined) return !last.negative
      if (directory === "") break
    }
    const last = this.#lastMatch(this.#exclude, path, isDirectory)
    return last !== undefined && !last.negative
  }

  #lastMatch(rules: ReadonlyArray<IgnoreRule>, path: string, isDirectory: boolean) {
    return rules.findLast((rule) => {
      this.#work.left -= RULE_WORK
      if (this.#work.left < 0) throw new TooManyRules()
      return ruleMatches(rule, path, isDirectory, this.#work)
    })
  }
}
