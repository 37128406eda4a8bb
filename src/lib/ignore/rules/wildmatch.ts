import { table } from "../../../contract/text/names.ts"

/**
 * git's wildmatch with WM_PATHNAME on byte strings: `*`, `?` and classes do not match a slash. Two or more stars between slashes
 * match any number of directories. The time is proportional to pattern times text for every pattern.
 */
export interface Wildcard {
  readonly tokens: ReadonlyArray<Token>
  /** Minimum bytes of a matching text. */
  readonly least: number
  /** Required suffix of a text without a slash, if the pattern is only a suffix: most patterns are. */
  readonly ending: string | undefined
}

/** The check exceeds its cost limit. */
export class TooManyRules extends Error {}

/** Remaining cost in bytes. Each match decreases it. */
export interface Work {
  left: number
}

type Token =
  | { readonly _tag: "byte"; readonly code: number }
  | { readonly _tag: "class"; readonly has: Uint8Array }
  /** Any text without a slash. */
  | { readonly _tag: "star" }
  /** Any text. */
  | { readonly _tag: "stars" }
  /** An empty text, or any text that ends with a slash. */
  | { readonly _tag: "directories" }
  /** A malformed end: nothing matches. */
  | { readonly _tag: "never" }

const SLASH = 0x2f
const never: Token = { _tag: "never" }
const any = { _tag: "class", has: new Uint8Array(256).fill(1) } as const
any.has[SLASH] = 0

const unmatchable: Wildcard = { tokens: [never], least: 0, ending: undefined }

export const compileWildcard = (pattern: string): Wildcard => {
  const tokens: Array<Token> = []
  for (let at = 0; at < pattern.length;) {
    const character = pattern[at]!
    if (character === "*") {
      const run = readStars(pattern, at)
      tokens.push(run.token)
      at = run.end
    } else if (character === "?") {
      tokens.push(any)
      at++
    } else if (character === "[") {
      const found = readClass(pattern, at)
      if (found === undefined) return unmatchable
      tokens.push({ _tag: "class", has: found.has })
      at = found.end
    } else {
      const literal = character === "\\" ? at + 1 : at
      if (literal >= pattern.length) return unmatchable
      tokens.push({ _tag: "byte", code: pattern.charCodeAt(literal) })
      at = literal + 1
    }
  }
  const least = tokens.filter(({ _tag }) => _tag === "byte" || _tag === "class").length
  return { tokens, least, ending: /^\*[^*?[\\/]*$/.test(pattern) ? pattern.slice(1) : undefined }
}

const readStars = (pattern: string, start: number): { readonly token: Token; readonly end: number } => {
  let end = start
  while (pattern[end] === "*") end++
  const between = (start === 0 || pattern[start - 1] === "/") &&
    (end === pattern.length || pattern[end] === "/" || pattern.startsWith("\\/", end))
  if (end - start < 2 || !between) return { token: { _tag: "star" }, end }
  // Includes the following slash, since both may match nothing.
  return pattern[end] === "/" ? { token: { _tag: "directories" }, end: end + 1 } : { token: { _tag: "stars" }, end }
}

const within = (ranges: string) => (code: number) => {
  for (let at = 0; at < ranges.length; at += 2) {
    if (code >= ranges.charCodeAt(at) && code <= ranges.charCodeAt(at + 1)) return true
  }
  return false
}
/** By names that a repository chose. */
const classes = table<(code: number) => boolean>({
  alnum: within("09AZaz"),
  alpha: within("AZaz"),
  blank: within("  \t\t"),
  cntrl: within("\x00\x1f\x7f\x7f"),
  digit: within("09"),
  graph: within("!~"),
  lower: within("az"),
  print: within(" ~"),
  punct: within("!/:@[`{~"),
  space: within("\t\n\r\r  "),
  upper: within("AZ"),
  xdigit: within("09AFaf")
})

/** Parses a class that starts at `start` as git does, byte by byte. `undefined` if it has no end. */
const readClass = (pattern: string, start: number) => {
  let at = start + 1
  const negated = pattern[at] === "!" || pattern[at] === "^"
  if (negated) at++
  const has = new Uint8Array(256)
  /** Code of the previous byte, which may begin a range; 0 if no range may begin. */
  let before = 0
  do {
    const character = pattern[at]
    if (character === undefined) return undefined
    let code = pattern.charCodeAt(at)
    if (character === "\\") {
      at++
      if (at >= pattern.length) return undefined
      code = pattern.charCodeAt(at)
      has[code] = 1
    } else if (character === "-" && before !== 0 && at + 1 < pattern.length && pattern[at + 1] !== "]") {
      at += pattern[at + 1] === "\\" ? 2 : 1
      if (at >= pattern.length) return undefined
      for (let i = before; i <= pattern.charCodeAt(at); i++) has[i] = 1
      code = 0
    } else if (character === "[" && pattern[at + 1] === ":") {
      const end = pattern.indexOf("]", at + 2)
      if (end < 0) return undefined
      if (end - at >= 3 && pattern[end - 1] === ":") {
        const members = classes[pattern.slice(at + 2, end - 1)]
        if (members === undefined) return undefined
        for (let i = 0; i < 256; i++) if (members(i)) has[i] = 1
        at = end
        code = 0
      } else {
        has[code] = 1
      }
    } else {
      has[code] = 1
    }
    before = code
    at++
  } while (pattern[at] !== "]")
  for (let i = 0; negated && i < 256; i++) has[i] = has[i] === 1 ? 0 : 1
  has[SLASH] = 0
  return { has, end: at + 1 }
}

/** Whether the whole text matches. Throws `TooManyRules`. */
export const wildcardMatches = ({ ending, least, tokens }: Wildcard, text: string, work: Work): boolean => {
  if (text.length < least) return false
  if (ending !== undefined) return text.endsWith(ending) && !text.includes("/")
  const bytes = Buffer.from(text, "latin1")
  /** Whether the match so far may end before the byte with this number. */
  let ends = new Uint8Array(bytes.length + 1)
  let next = new Uint8Array(bytes.length + 1)
  ends[0] = 1
  for (const token of tokens) {
    work.left -= bytes.length
    if (work.left < 0) throw new TooManyRules()
    if (!step(token, ends, next, bytes)) return false
    const before = ends
    ends = next
    next = before
  }
  return ends[bytes.length] === 1
}

/** Fills `next` with the positions after one more token. False if none is left. */
const step = (token: Token, ends: Uint8Array, next: Uint8Array, bytes: Uint8Array): boolean => {
  const { length } = bytes
  let some = 0
  /** Whether an earlier star may continue. */
  let open = ends[0]!
  switch (token._tag) {
    case "byte":
      next[0] = 0
      for (let at = 0; at < length; at++) some |= next[at + 1] = bytes[at] === token.code ? ends[at]! : 0
      return some === 1
    case "class":
      next[0] = 0
      for (let at = 0; at < length; at++) some |= next[at + 1] = token.has[bytes[at]!]! & ends[at]!
      return some === 1
    case "star":
      some = next[0] = open
      for (let at = 0; at < length; at++) {
        open = ends[at + 1]! | (bytes[at] === SLASH ? 0 : open)
        some |= next[at + 1] = open
      }
      return some === 1
    case "stars":
      some = next[0] = open
      for (let at = 0; at < length; at++) some |= next[at + 1] = open |= ends[at + 1]!
      return some === 1
    case "directories":
      some = next[0] = open
      for (let at = 0; at < length; at++) {
        const end = ends[at + 1]!
        some |= next[at + 1] = end | (bytes[at] === SLASH ? open : 0)
        open |= end
      }
      return some === 1
    case "never":
      return false
  }
}
