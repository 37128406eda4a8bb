import { opendirSync, statSync } from "node:fs"

/** Whether a path of the host leads to a directory. */
export const isDirectory = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  } catch {
    return false
  }
}

/** Entries of the working directory to look at. A shell lists a larger one itself, when a slash is typed. */
const MOST_ENTRIES = 10_000

/** Files of the working directory whose names begin so, and directories with a slash. Hidden ones are offered for a dot. */
export const filesHere = (prefix: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  try {
    const folder = opendirSync(".")
    try {
      for (let looks = 0, entry = folder.readSync(); entry !== null && looks < MOST_ENTRIES; looks++) {
        const { name } = entry
        if (name.startsWith(prefix) && (prefix !== "" || !name.startsWith("."))) {
          found.push(isDirectory(name) ? `${name}/` : name)
        }
        entry = folder.readSync()
      }
    } finally {
      folder.closeSync()
    }
  } catch {
    // A directory that is gone has no files.
  }
  return found
}
