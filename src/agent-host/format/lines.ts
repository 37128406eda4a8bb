/** The end of line that a text uses. */
export const endOfLine = (text: string): "\r\n" | "\n" => /\r\n/.test(text) ? "\r\n" : "\n"

/** A text with another end of line. */
export const withEndOfLine = (text: string, eol: "\r\n" | "\n"): string => text.replace(/\r?\n/g, eol)

/** Line and column of an offset, from 1. */
export const placeOf = (text: string, offset: number): string => {
  const before = text.slice(0, offset).split("\n")
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}
