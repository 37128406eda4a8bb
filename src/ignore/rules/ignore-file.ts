import { compileWildcard, type Wildcard, wildcardMatches, type Work } from "./wildmatch.ts"

/** One rule of an ignore file, as git parses it. All texts are byte strings. */
export interface IgnoreRule {
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

/** The rules of an ignore file, in their order. Bytes behind a NUL in a line do not count. */
export const readIgnoreFile = (text: string): ReadonlyArray<IgnoreRule> =>
  (text.startsWith("\xef\xbb\xbf") ? text.slice(3) : text).split("\n").flatMap((line) => {
    if (line === "" || line.startsWith("#")) return []
    const bare = line.endsWith("\r") ? line.slice(0, -1) : line
    return [readRule(withoutTrailingSpaces(bare.split("\0", 1)[0]!))]
  })

/** Whether a rule is about an entry, by its path relative to the directory of the rule's file. */
export const ruleMatches = (rule: IgnoreRule, path: string, isDirectory: boolean, work: Work): boolean => {
  if (rule.directoriesOnly && !isDirectory) return false
  const text = rule.anyDirectory ? path.slice(path.lastIndexOf("/") + 1) : path
  if (!text.startsWith(rule.literal)) return false
  if (rule.rest === undefined) return text.length === rule.literal.length && text.length > 0
  return wildcardMatches(rule.rest, text.slice(rule.literal.length), work)
}
