/** Whether a file could not be written because its file system has no room, or the user's share of it (a quota) is used up. */
export const isDiskFull = (cause: unknown): boolean => {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return code === "ENOSPC" || code === "EDQUOT"
}
