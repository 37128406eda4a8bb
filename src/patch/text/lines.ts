/** The lines of a byte string with their line feeds; only the last may lack one. */
export const linesOf = (text: string): Array<string> => {
  const lines: Array<string> = []
  for (let at = 0; at < text.length;) {
    const feed = text.indexOf("\n", at)
    const end = feed < 0 ? text.length : feed + 1
    lines.push(text.slice(at, end))
    at = end
  }
  return lines
}
