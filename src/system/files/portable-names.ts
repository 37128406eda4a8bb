import { isUtf8 } from "node:buffer"

/** Systems whose files cannot have every name that a guest's files can have. */
export type NameSystem = "windows" | "macos"

/** The system of this computer, if it has rules for names. */
export const nameSystem = (): NameSystem | undefined =>
  process.platform === "win32" ? "windows" : process.platform === "darwin" ? "macos" : undefined

/** Maximum units of a name: UTF-16 on NTFS, bytes on APFS. Of a path, what Windows takes behind `\\?\`, with room for the folder above. */
const NAME_UNITS = 255
const PATH_UNITS = 32_000

/** Names of devices, with any ending, with spaces before it, and with superscript digits ("Naming Files, Paths, and Namespaces"). */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])$/i

/** Characters that no name of Windows has. `:` begins a stream, and `\` is a separator. */

const FORBIDDEN = /[\x00-\x1f<>:"|?*\\]/

const printed = (character: string) => character < " " ? "a control character" : character

const windowsProblem = (name: string): string | undefined => {
  const forbidden = FORBIDDEN.exec(name)?.[0]
  if (forbidden !== undefined) return `Windows has no names with ${printed(forbidden)}`
  if (/[. ]$/.test(name)) return "Windows drops a dot or a space at the end of a name"
  const base = /^[^.]*/.exec(name)![0].trimEnd()
  return DEVICE.test(base) ? `${base} is a device of Windows` : undefined
}

/** Reason why a system cannot have a file of this name, which is one component of a path. Undefined if it can. */
export const nameProblem = (name: Uint8Array, system: NameSystem): string | undefined => {
  if (!isUtf8(name)) return "its name is not UTF-8"
  const text = Buffer.from(name).toString("utf8")
  if ((system === "windows" ? text.length : name.length) > NAME_UNITS) return "its name is too long"
  return system === "windows" ? windowsProblem(text) : undefined
}

/** Dotless i, whose capital is that of i, and which no system takes for i. */
const DOTLESS = "\u0131"

/** Code points that HFS+ ignores in comparisons: git's list. */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** One letter for all forms of a letter. Characters alone: a sigma at the end of a word is no other letter. */
const foldLetter = (letter: string) => letter === DOTLESS ? letter : letter.toUpperCase().toLowerCase()

/** The same as Unicode's full case folding. A second pass folds what the first one has made: capital sharp s. */
const foldCase = (text: string) => {
  const once = Array.from(text, foldLetter).join("")
  return Array.from(once, foldLetter).join("")
}

/** NTFS compares capitals of single UTF-16 units, and knows no forms of Unicode. */
const foldUnits = (text: string) =>
  Array.from(text, (letter) => {
    const upper = letter === DOTLESS ? letter : letter.toUpperCase()
    const one = upper.length === letter.length ? upper : letter
    const lower = one.toLowerCase()
    return lower.length === one.length ? lower : one
  }).join("")

/** Two names with the same key are one file of the system. */
export const nameKey = (name: string, system: NameSystem): string =>
  system === "windows"
    ? foldUnits(name)
    : foldCase(name.normalize("NFD").replace(IGNORED, "")).normalize("NFD")

/** A path that a system cannot have, or not beside another one. */
export interface NameConflict {
  /** As given. */
  readonly path: Uint8Array
  readonly reason: string
}

/**
 * Paths of a tree that a system cannot have: forbidden names, and of names that are one file there all but the first. Beneath such a path, no path is
 * named again. Paths are relative, in UTF-8 or not, and parents come before their children.
 */
export const nameConflicts = (paths: Iterable<Uint8Array>, system: NameSystem): ReadonlyArray<NameConflict> => {
  const found: Array<NameConflict> = []
  const bad = new Set<string>()
  /** Keys of paths, with the first path of each, raw. */
  const first = new Map<string, string>()
  for (const path of paths) {
    const raw = Buffer.from(path).toString("latin1")
    if (raw === "") continue
    const parts = raw.split("/")
    if (parts.some((_, at) => bad.has(parts.slice(0, at).join("/")))) continue
    const reason = pathProblem(raw, parts, system) ?? collision(parts, system, first)
    if (reason === undefined) continue
    found.push({ path, reason })
    bad.add(raw)
  }
  return found
}

const utf8 = (raw: string) => Buffer.from(raw, "latin1").toString("utf8")

const pathProblem = (raw: string, parts: ReadonlyArray<string>, system: NameSystem) => {
  const problem = parts.map((part) => nameProblem(Buffer.from(part, "latin1"), system)).find((one) => one !== undefined)
  return problem ?? (system === "windows" && raw.length > PATH_UNITS ? "its path is too long" : undefined)
}

/** Reason if a component is another path's component there. Remembers the path. */
const collision = (parts: ReadonlyArray<string>, system: NameSystem, first: Map<string, string>) => {
  for (let depth = 1; depth <= parts.length; depth++) {
    const raw = parts.slice(0, depth).join("/")
    const key = parts.slice(0, depth).map((part) => nameKey(utf8(part), system)).join("/")
    const other = first.get(key)
    if (other === undefined) first.set(key, raw)
    else if (other !== raw) return `it is one file with ${utf8(other)} on ${system === "windows" ? "Windows" : "macOS"}`
  }
  return undefined
}
