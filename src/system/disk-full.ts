import { NoSpace, StateDirectoryUnusable } from "../contract/errors.ts"

/** Whether a file could not be written because its file system has no room, or the user's share of it (a quota) is used up. */
export const isDiskFull = (cause: unknown): boolean => {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return code === "ENOSPC" || code === "EDQUOT"
}

/** Why something in a folder of the state directory could not be written. */
export const unusable = (folder: string) => (cause: unknown): NoSpace | StateDirectoryUnusable =>
  isDiskFull(cause)
    ? new NoSpace({ where: "state directory", path: folder, neededMib: 1, availableMib: 0 })
    : new StateDirectoryUnusable({ path: folder, detail: (cause as Error).message })
