/** Columns and rows of the smallest terminal that people use. Rows leave room for the sentence before and the question after. */
const COLUMNS = 80
const ROWS = 18

/** Lines in parts that fit on a screen, so that no line scrolls away before its question. A long line takes several rows. */
export const screens = (lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> => {
  const parts: Array<Array<string>> = [[]]
  let rows = 0
  for (const line of lines) {
    // A wide character takes two columns.
    const wide = Array.from(line).filter((one) => one.codePointAt(0)! > 0x10ff).length
    const needed = Math.ceil((line.length + wide) / COLUMNS)
    if (rows > 0 && rows + needed > ROWS) {
      parts.push([])
      rows = 0
    }
    parts.at(-1)!.push(line)
    rows += needed
  }
  return parts
}
