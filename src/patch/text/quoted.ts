import { table } from "../../contract/text/names.ts"
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

/** Longer than any path with each of its bytes escaped. */
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
