import * as fs from "node:fs"

/** Reason why a path is no socket of this process's user. Undefined if it is one. */
export const socketTrouble = (file: string): string | undefined => {
  try {
    const stat = fs.statSync(file, { throwIfNoEntry: false })
    if (stat === undefined) return "there is no socket"
    if (!stat.isSocket()) return "it is no socket"
    // Root could open the socket of every user. It lends only its own, because another user has not asked for it.
    return stat.uid === process.getuid?.() ? undefined : "the socket belongs to another user"
  } catch (cause) {
    return `it cannot be read (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`
  }
}
