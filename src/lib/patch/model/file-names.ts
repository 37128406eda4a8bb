import { table } from "../../../contract/text/names.ts"
import { relativePath } from "./patch.ts"

const letters = table<string>({
  a: "\x07",
  b: "\b",
  t: "\t",
  n: "\n",
  v: "\v",
  f: "\f",
  r: "\r",
  "\"": "\"",
  "\\": "\\"
})
const escapes = new Map(Object.entries(letters).map(([letter, character]) => [character, `\\${letter}`]))

/** A path (a byte string) in git's form: in quotes with escapes if it is not plain ASCII or `always` is set. */
export const quoted = (path: string, when: "needed" | "always" = "needed"): string => {
  if (when === "needed" && !/[^\x20-\x7e]|["\\]/.test(path)) return path
  const inner = path.replace(
    /[^\x20-\x7e]|["\\]/g,
    (character) => escapes.get(character) ?? `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`
  )
  return `"${inner}"`
}

/** More characters than the longest path with an escape for each byte. */
const MAX_QUOTED = 4 * 4096 + 2

/** Reads a quoted path that starts at `at`. `undefined` without one. */
export const readQuoted = (text: string, at: number): { readonly path: string; readonly end: number } | undefined => {
  const found = /^"((?:[^"\\\n]|\\[abtnvfr"\\]|\\[0-3][0-7]{2})*)"/
  const [whole, inner] = found.exec(text.slice(at, at + MAX_QUOTED)) ?? []
  if (whole === undefined || inner === undefined) return undefined
  const path = inner.replace(
    /\\(?:([0-3][0-7]{2})|(.))/g,
    (_, octal: string | undefined, letter: string) =>
      octal !== undefined ? String.fromCharCode(Number.parseInt(octal, 8)) : letters[letter]!
  )
  return { path, end: at + whole.length }
}

/** The name in a `---` or `+++` line. */
export interface LineName {
  /** Undefined for /dev/null. */
  readonly name: string | undefined
  /** The date after the name is the epoch: the file does not exist on this side. */
  readonly isEpoch: boolean
}

export const nameOfLine = (text: string): LineName => {
  const rest = text.replace(/\r$/, "")
  const inQuotes = readQuoted(rest, 0)
  const tab = rest.indexOf("\t")
  const name = inQuotes !== undefined ? inQuotes.path : tab < 0 ? rest : rest.slice(0, tab)
  const date = inQuotes !== undefined ? rest.slice(inQuotes.end) : tab < 0 ? "" : rest.slice(tab)
  return { name: name === "/dev/null" ? undefined : name, isEpoch: isEpoch(date.trim()) }
}

/** Time format of diff(1): `1970-01-01 01:00:00.000000000 +0100`. */
const isEpoch = (date: string) => {
  const [, day, time, hours, minutes] =
    /^(1969-12-31|1970-01-01) (\d\d:\d\d:\d\d)(?:\.0+)? ([-+]\d\d)(\d\d)$/.exec(date) ?? []
  return day !== undefined && Date.parse(`${day}T${time}${hours}:${minutes}`) === 0
}

const withoutFirst = (name: string) => name.slice(name.indexOf("/") + 1)

/** An absolute name has no prefix: all of it is the path. */
const mayHavePrefix = (name: string) => name.includes("/") && !name.startsWith("/")

/**
 * The common path of the two names of a file: the same name, or `a/x` and `b/x` (`old/x` and `new/x`), or `x.orig` and `x`.
 * `undefined` for unrelated names.
 */
export const commonPath = (old: string, now: string): string | undefined => {
  if (old === now) return now
  if (mayHavePrefix(old) && mayHavePrefix(now) && withoutFirst(old) === withoutFirst(now)) return withoutFirst(now)
  const [before, after] = [relativePath(withoutPrefix(old, "a")), relativePath(withoutPrefix(now, "b"))]
  if (before.startsWith(after)) return after
  return after.startsWith(before) ? before : undefined
}

/** The name of a new or deleted file, without the prefix `a/` or `b/` of git and most other tools. */
export const withoutPrefix = (name: string, prefix: "a" | "b") => name.startsWith(`${prefix}/`) ? name.slice(2) : name

/** The path in `diff --git a/x b/x` if both names are of one file. `text` follows `diff --git `. */
export const pathOfGitLine = (text: string): string | undefined => {
  const rest = text.replace(/\r$/, "")
  const first = readQuoted(rest, 0)
  if (first !== undefined) {
    const second = readQuoted(rest, first.end + 1)
    return commonPath(first.path, second !== undefined ? second.path : rest.slice(first.end + 1))
  }
  const quote = rest.indexOf(" \"")
  const second = quote < 0 ? undefined : readQuoted(rest, quote + 1)
  if (second !== undefined && second.end === rest.length) return commonPath(rest.slice(0, quote), second.path)
  // Names may contain spaces, but have equal lengths.
  const middle = (rest.length - 1) / 2
  return rest[middle] === " " ? commonPath(rest.slice(0, middle), rest.slice(middle + 1)) : undefined
}
