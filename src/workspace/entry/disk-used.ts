import * as path from "node:path"
import { namesIn } from "../../system/files/folders.ts"
import { bytesOnDisk } from "../../system/files/usage.ts"

/** Bytes of the host's disk that the layers of a disk's folder take. 0 if a deletion removes the folder meanwhile. */
export const usedBeneath = (folder: string): number => {
  try {
    return namesIn(folder)
      .filter((name) => name.endsWith(".qcow2"))
      .reduce((sum, name) => sum + bytesOnDisk(path.join(folder, name)), 0)
  } catch {
    return 0
  }
}
