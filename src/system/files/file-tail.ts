import * as fs from "node:fs"

/** The last bytes of a text file, and whether they are the whole file; empty if the file cannot be read. */
export const readEnd = (file: string, maxBytes: number): { readonly text: string; readonly isWhole: boolean } => {
  let fd: number
  try {
    fd = fs.openSync(file, "r")
  } catch {
    return { text: "", isWhole: true }
  }
  try {
    const { size } = fs.fstatSync(fd)
    const bytes = Buffer.alloc(Math.min(size, maxBytes))
    const read = fs.readSync(fd, bytes, 0, bytes.length, size - bytes.length)
    return { text: bytes.toString("utf8", 0, read), isWhole: bytes.length === size }
  } finally {
    fs.closeSync(fd)
  }
}

/** The last bytes of a text file, from the start of a line where that is possible; empty if the file cannot be read. */
export const readTail = (file: string, maxBytes: number): string => {
  const { isWhole, text } = readEnd(file, maxBytes)
  const firstLine = text.indexOf("\n")
  return isWhole || firstLine < 0 ? text : text.slice(firstLine + 1)
}
