import { readFileSync } from "node:fs"
import { withChildren } from "./identity.ts"

const KIB = 1_024
/** First line of a mapping (proc(5), smaps): addresses, rights, offset, device, inode, and the file's name. */
const MAPPING = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/
const COPIES = /^Anonymous: +(\d+) kB$/

const copiesOf = (pid: number, file: string): number => {
  let bytes = 0
  let isIn = false
  try {
    for (const line of readFileSync(`/proc/${pid}/smaps`, "latin1").split("\n")) {
      const mapping = MAPPING.exec(line)
      if (mapping !== null) isIn = mapping[1] === file
      else if (isIn) bytes += Number(COPIES.exec(line)?.[1] ?? 0) * KIB
    }
  } catch { /* it ended meanwhile */ }
  return bytes
}

/**
 * Bytes of memory that a process and its children have of their own, because they wrote to private mappings of a file. `file` is its name in
 * smaps. 0 once the process has ended.
 */
export const privateCopies = (pid: number, file: string): number =>
  withChildren(pid).reduce((sum, one) => sum + copiesOf(one, file), 0)
