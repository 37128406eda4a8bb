import * as fs from "node:fs"

/** Bytes of a file from the position that `start` gives for its size, at most `maxBytes`. Throws errors of the file system. */
export const readFrom = (file: string, start: (size: number) => number, maxBytes: number) => {
  const fd = fs.openSync(file, "r")
  try {
    const { size } = fs.fstatSync(fd)
    const at = Math.min(start(size), size)
    const bytes = Buffer.alloc(Math.min(size - at, maxBytes))
    return { at, bytes: bytes.subarray(0, fs.readSync(fd, bytes, 0, bytes.length, at)) }
  } finally {
    fs.closeSync(fd)
  }
}

/** The last bytes of a text file, and whether they are the whole file; empty if the file cannot be read. */
export const readEnd = (file: string, maxBytes: number): { readonly text: string; readonly isWhole: boolean } => {
  try {
    const { at, bytes } = readFrom(file, (size) => Math.max(0, size - maxBytes), maxBytes)
    return { text: bytes.toString("utf8"), isWhole: at === 0 }
  } catch {
    return { text: "", isWhole: true }
  }
}

/** The last bytes of a text file, from the start of a line where that is possible; empty if the file cannot be read. */
export const readTail = (file: string, maxBytes: number): string => {
  const { isWhole, text } = readEnd(file, maxBytes)
  const firstLine = text.indexOf("\n")
  return isWhole || firstLine < 0 ? text : text.slice(firstLine + 1)
}

/** Opens a log to append lines, each with one write. Ends a line that a crash has cut: only this line is lost. */
export const openLineLog = (file: string): { readonly fd: number; readonly size: number } => {
  const fd = fs.openSync(file, "a", 0o600)
  const { size } = fs.fstatSync(fd)
  if (size > 0 && readEnd(file, 1).text !== "\n") fs.writeSync(fd, "\n")
  return { fd, size }
}
