/** Maximum names of ignored files in a result. */
export const MAX_IGNORED_NAMES = 20

/** Maximum names of files that are gone on the host in a result. */
export const MAX_MISSING_NAMES = 20

/** Note about files that are gone on the host; undefined if there are none. `remedy` removes them from the workspace. */
export const missingOnHostNote = (count: number, named: ReadonlyArray<string>, remedy: string): string | undefined => {
  if (count === 0) return undefined
  const shown = named.slice(0, 5)
  const more = count - shown.length
  const what = count === 1 ? "1 file that is gone on the host stays" : `${count} files that are gone on the host stay`
  return `${what} in the workspace: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}; ${remedy} removes ${
    count === 1 ? "it" : "them"
  }`
}

/** Note about ignored files that were not copied; undefined if there are none. */
export const ignoredFilesNote = (count: number, named: ReadonlyArray<string>): string | undefined => {
  if (count === 0) return undefined
  const shown = named.slice(0, 5)
  const more = count - shown.length
  const what = count === 1 ? "1 ignored file or directory stays" : `${count} ignored files and directories stay`
  return `${what} on the host: ${shown.join(", ")}${
    more > 0 ? ` and ${more} more` : ""
  }; copy them with --include-ignored GLOB`
}
