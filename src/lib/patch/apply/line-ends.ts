import type { Hunk } from "../model/patch.ts"

/** End of every line of a text. `undefined` for mixed ends, or for a text without a line feed. */
export type LineEnd = "lf" | "crlf"

/** The end of all lines of a file (a byte string). */
export const lineEndOf = (text: string): LineEnd | undefined => {
  let found: LineEnd | undefined
  for (let feed = text.indexOf("\n"); feed >= 0; feed = text.indexOf("\n", feed + 1)) {
    const end = text[feed - 1] === "\r" ? "crlf" : "lf"
    if (found !== undefined && found !== end) return undefined
    found = end
  }
  return found
}

/** The end of all lines of the hunks of a file. */
export const lineEndOfHunks = (hunks: ReadonlyArray<Hunk>): LineEnd | undefined => {
  const ends = new Set<LineEnd>()
  for (const { lines } of hunks) {
    for (const { text } of lines) if (text.endsWith("\n")) ends.add(text.endsWith("\r\n") ? "crlf" : "lf")
  }
  return ends.size === 1 ? ends.values().next().value : undefined
}

export const toLf = (text: string): string => text.replaceAll("\r\n", "\n")
export const toCrlf = (text: string): string => text.replaceAll("\n", "\r\n")

export const hunksToLf = (hunks: ReadonlyArray<Hunk>): Array<Hunk> =>
  hunks.map((hunk) => ({ ...hunk, lines: hunk.lines.map(({ sign, text }) => ({ sign, text: toLf(text) })) }))
