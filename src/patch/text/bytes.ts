// Text and paths within src/patch are "byte strings": one character per byte (latin1). This form loses nothing, and the
// runtime's string functions work on it.

export const byteString = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1")

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
