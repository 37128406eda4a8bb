import { compileWildcard, TooManyRules, type Wildcard, wildcardMatches, type Work } from "./rules/wildmatch.ts"

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

  /**
   * Verdict of the last rule that matches a file's own path: true, or false for a negative rule. `undefined`: no rule matches. Throws
   * `TooManyRules`.
   */
  matches(path: string): boolean | undefined {
    return this.#verdict(path, path.slice(0, Math.max(0, path.lastIndexOf("/"))), false)
  }

  #isExcluded(path: string, parent: string, isDirectory: boolean): boolean {
    return this.#verdict(path, parent, isDirectory) ?? false
  }

  #verdict(path: string, parent: string, isDirectory: boolean): boolean | undefined {
    for (let directory = parent;; directory = directory.slice(0, Math.max(0, directory.lastIndexOf("/")))) {
      const rules = this.#files.get(directory)
      const relative = directory === "" ? path : path.slice(directory.length + 1)
      const last = rules === undefined ? undefined : this.#lastMatch(rules, relative, isDirectory)
      if (last !== undefined) return !last.negative
      if (directory === "") break
    }
    const last = this.#lastMatch(this.#exclude, path, isDirectory)
    return last === undefined ? undefined : !last.negative
  }

  #lastMatch(rules: ReadonlyArray<IgnoreRule>, path: string, isDirectory: boolean) {
    return rules.findLast((rule) => {
      this.#work.left -= RULE_WORK
      if (this.#work.left < 0) throw new TooManyRules()
      return ruleMatches(rule, path, isDirectory, this.#work)
    })
  }
}

/** One rule of an ignore file, as git parses it. All texts are byte strings. */
interface IgnoreRule {
  /** The rule includes paths again that an earlier rule ignores. */
  readonly negative: boolean
  readonly directoriesOnly: boolean
  /** The rule matches a name in any directory beneath, not a path. */
  readonly anyDirectory: boolean
  /** Literal beginning of the name or path. */
  readonly literal: string
  /** Pattern after the beginning. `undefined`: none. */
  readonly rest: Wildcard | undefined
}

const firstSpecial = (pattern: string) => {
  const at = pattern.search(/[*?[\\]/)
  return at < 0 ? pattern.length : at
}

/** Trailing spaces do not count, unless a backslash precedes them. */
const withoutTrailingSpaces = (line: string) => {
  let end = 0
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "\\") {
      if (at + 1 >= line.length) return line
      at++
      end = at + 1
    } else if (line[at] !== " ") {
      end = at + 1
    }
  }
  return line.slice(0, end)
}

const readRule = (line: string): IgnoreRule => {
  const negative = line.startsWith("!")
  let pattern = negative ? line.slice(1) : line
  const directoriesOnly = pattern.endsWith("/")
  if (directoriesOnly) pattern = pattern.slice(0, -1)
  const anyDirectory = !pattern.includes("/")
  if (pattern.startsWith("/")) pattern = pattern.slice(1)
  const special = firstSpecial(pattern)
  const rest = pattern.slice(special)
  return {
    negative,
    directoriesOnly,
    anyDirectory,
    literal: pattern.slice(0, special),
    rest: rest === "" ? undefined : compileWildcard(rest)
  }
}

/** The rules of an ignore file, in order. Bytes after a NUL in a line do not count. */
const readIgnoreFile = (text: string): ReadonlyArray<IgnoreRule> =>
  (text.startsWith("\xef\xbb\xbf") ? text.slice(3) : text).split("\n").flatMap((line) => {
    if (line === "" || line.startsWith("#")) return []
    const bare = line.endsWith("\r") ? line.slice(0, -1) : line
    return [readRule(withoutTrailingSpaces(bare.split("\0", 1)[0]!))]
  })

/** Whether a rule is about an entry, by its path relative to the directory of the rule's file. */
const ruleMatches = (rule: IgnoreRule, path: string, isDirectory: boolean, work: Work): boolean => {
  if (rule.directoriesOnly && !isDirectory) return false
  const text = rule.anyDirectory ? path.slice(path.lastIndexOf("/") + 1) : path
  if (!text.startsWith(rule.literal)) return false
  if (rule.rest === undefined) return text.length === rule.literal.length && text.length > 0
  return wildcardMatches(rule.rest, text.slice(rule.literal.length), work)
}
