import * as fs from "node:fs"
import * as path from "node:path"
import { openLineLog, readEnd, readTail } from "../../../system/files/line-log.ts"

/** Maximum size of one file of the log; the log has two. */
const MAX_FILE_BYTES = 4 * 1024 * 1024

/** Bytes at the end of a file that have its last line. */
const TAIL_BYTES = 16_384

/** Two files of lines: a full one replaces the older one, so that a guest cannot fill the host's disk. */
export interface LogFile {
  /** Appends a line. Throws errors of the file system. */
  readonly append: (line: string) => void
  /** Lines of both files, oldest first. The first and the last one may be cut. */
  readonly lines: () => ReadonlyArray<string>
  /** The last lines, oldest first. */
  readonly tail: () => ReadonlyArray<string>
  readonly close: () => void
}

/** Opens the log in a folder, with each line as `redact` gives it. The first line makes the file. */
export const openLogFile = (folder: string, name: string, redact: (line: string) => string): LogFile => {
  const current = path.join(folder, name)
  const older = path.join(folder, `${name}.1`)
  let open: { readonly fd: number; size: number } | undefined
  const close = () => {
    if (open !== undefined) fs.closeSync(open.fd)
    open = undefined
  }
  return {
    append: (line) => {
      open ??= openLineLog(current)
      if (open.size >= MAX_FILE_BYTES) {
        close()
        fs.renameSync(current, older)
        open = openLineLog(current)
      }
      open.size += fs.writeSync(open.fd, `${redact(line)}\n`)
    },
    lines: () => [older, current].flatMap((file) => readEnd(file, Number.MAX_SAFE_INTEGER).text.split("\n")),
    tail: () => {
      const lines = readTail(current, TAIL_BYTES).split("\n")
      return lines.length > 1 ? lines : readTail(older, TAIL_BYTES).split("\n")
    },
    close
  }
}
