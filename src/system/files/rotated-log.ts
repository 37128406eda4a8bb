import * as fs from "node:fs"
import { openLineLog } from "./line-log.ts"

/** Bytes at which a log is put aside. */
const ROTATE_BYTES = 16 * 1024 * 1024

/** Logs that were put aside and are kept: the newest ones. */
const KEPT = 5

/**
 * A log of JSON lines of one process. Each line is one write, so a killed process loses none; the kernel writes them to the disk in its own time, so a power
 * cut may lose the last seconds. A log of `rotateBytes` is put aside as `FILE.1`, and the older ones move on.
 */
export const openRotatedLog = (file: string, rotateBytes = ROTATE_BYTES) => {
  let open: { readonly fd: number; size: number } | undefined
  const rotate = () => {
    if (open !== undefined) fs.closeSync(open.fd)
    open = undefined
    for (let number = KEPT - 1; number > 0; number--) {
      if (fs.existsSync(`${file}.${number}`)) fs.renameSync(`${file}.${number}`, `${file}.${number + 1}`)
    }
    fs.renameSync(file, `${file}.1`)
  }
  return {
    /** Throws errors of the file system. */
    append: (entry: object) => {
      open ??= { ...openLineLog(file) }
      const line = Buffer.from(`${JSON.stringify(entry)}\n`)
      open.size += fs.writeSync(open.fd, line)
      if (open.size >= rotateBytes) rotate()
    },
    close: () => {
      if (open !== undefined) fs.closeSync(open.fd)
      open = undefined
    }
  }
}
