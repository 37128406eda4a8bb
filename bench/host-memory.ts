import * as fs from "node:fs"
import * as path from "node:path"

const piece = Buffer.alloc(1024 * 1024, 1)

/**
 * Uses so much memory for a moment, in MiB, in a file of a RAM-backed folder. If this host is a virtual machine, its own host may
 * take back memory without use for some seconds. A return of this memory costs several times its writes: 4 GiB took 10 to 11 s, and
 * 1.8 s after recent use.
 */
export const touchMemory = (folder: string, mib: number): void => {
  const file = path.join(folder, "touched")
  const fd = fs.openSync(file, "w")
  try {
    for (let written = 0; written < mib; written++) fs.writeSync(fd, piece)
  } finally {
    fs.closeSync(fd)
    fs.rmSync(file)
  }
}
