import { relativePath } from "../patch.ts"
import { readQuoted } from "../text/quoted.ts"

/** The name in a `---` or `+++` line, behind the sign; undefined for /dev/null. */
export interface LineName {
  readonly name: string | undefined
  /** The date behind the name is the epoch: the file was not there (or is not any more). */
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
 * The one path behind the two names of a file: the same name, or `a/x` and `b/x` (`old/x` and `new/x`), or `x.orig` and `x`.
 * `undefined` for unrelated names.
 */
export const commonPath = (old: string, now: string): string | undefined => {
  if (old === now) return now
  if (mayHavePrefix(old) && mayHavePrefix(now) && withoutFirst(old) === withoutFirst(now)) return withoutFirst(now)
  const [before, after] = [relativePath(withoutPrefix(old, "a")), relativePath(withoutPrefix(now, "b"))]
  if (before.startsWith(after)) return after
  return after.startsWith(before) ? before : undefined
}

/** A name beside /dev/null, without the prefix `a/` or `b/` of git and most others. */
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
