import type { IBuffer } from "@xterm/headless"

/** The text of a buffer from a row on: rows that the terminal wrapped are one line, and blanks at the ends of lines and of the text go. */
export const joinedRows = (buffer: IBuffer, from: number): ReadonlyArray<string> => {
  let first = from
  while (first > 0 && buffer.getLine(first)?.isWrapped === true) first--
  // The beginning of a line that is gone: its rest would be half a word, or half a secret.
  while (first < buffer.length && first === 0 && buffer.getLine(first)?.isWrapped === true) first++
  const lines: Array<string> = []
  for (let row = first; row < buffer.length; row++) {
    const line = buffer.getLine(row)
    if (line === undefined) break
    const text = line.translateToString(true)
    if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text
    else lines.push(text)
  }
  const trimmed = lines.map((line) => line.trimEnd())
  while (trimmed.at(-1) === "") trimmed.pop()
  return trimmed
}
