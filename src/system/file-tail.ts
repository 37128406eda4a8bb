import * as fs from "node:fs"

/** The last bytes of a text file, from the start of a line where that is possible; empty if the file cannot be read. */
export const readTail = (file: string, maxBytes: number): string => {
  let fd: number
  try {
    fd = fs.openSync(file, "r")
  } catch {
    return ""
  }
  try {
    const { size } = fs.fstatSync(fd)
    const bytes = Buffer.alloc(Math.min(size, maxBytes))
    fs.readSync(fd, bytes, 0, bytes.length, size - bytes.length)
    const text = bytes.toString("utf8")
    const firstLine = text.indexOf("\n")
    return bytes.length < size && firstLine >= 0 ? text.slice(firstLine + 1) : text
  } finally {
    fs.closeSync(fd)
  }
}
