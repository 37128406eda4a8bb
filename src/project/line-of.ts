/** A name of a TOML key, bare or in quotes. */
const NAME = String.raw`(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')`
const KEY = String.raw`${NAME}(?:\s*\.\s*${NAME})*`
const header = new RegExp(String.raw`^\s*\[\[?\s*(${KEY})\s*\]\]?`)
const assignment = new RegExp(String.raw`^\s*(${KEY})\s*=`)

const namesOf = (key: string) =>
  Array.from(key.matchAll(new RegExp(NAME, "g")), ([name]) => /^["']/.test(name) ? name.slice(1, -1) : name)

/**
 * The line of a key in a TOML text, for an error: that of the longest beginning of the path that a line names. The parser keeps no places. A
 * line of a text over several lines may look like a key; the error then names a wrong line, and still the right key.
 */
export const lineOf = (text: string, path: ReadonlyArray<string>): number | undefined => {
  let table: ReadonlyArray<string> = []
  let best: { readonly line: number; readonly length: number } | undefined
  for (const [at, line] of text.split("\n").entries()) {
    const [, named] = header.exec(line) ?? []
    const [, key] = named === undefined ? assignment.exec(line) ?? [] : []
    if (named !== undefined) table = namesOf(named)
    const whole = named !== undefined ? table : key === undefined ? undefined : [...table, ...namesOf(key)]
    if (whole === undefined || whole.length > path.length || whole.some((name, step) => name !== path[step])) continue
    if (whole.length > (best?.length ?? 0)) best = { line: at + 1, length: whole.length }
  }
  return best?.line
}
