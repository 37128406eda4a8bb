/**
 * Fails if a program is not ASCII: pyro.js reads the program as Latin-1, which is quicker. esbuild escapes strings and templates, and leaves
 * regular expressions as they are.
 */
export const demandAscii = (contents) => {
  const at = contents.findIndex((byte) => byte > 0x7f)
  if (at < 0) return
  const around = Buffer.from(contents.subarray(Math.max(0, at - 40), at + 40)).toString("utf8")
  throw new Error(
    `write this regular expression with \\u escapes, since pyro.js reads the program as Latin-1: ${around}`
  )
}
