import * as fs from "node:fs"
import * as path from "node:path"

const piece = Buffer.alloc(1024 * 1024, 1)

/**
 * Uses so much memory for a moment, in MiB, in a file of a folder that RAM backs. Where this host is itself a virtual machine, what it
 * has not used for some seconds may be its own host's again, and coming by it costs several times what writing to it does: 4 GiB
 * took 10 to 11 s, and 1.8 s when they had just been in use.
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
