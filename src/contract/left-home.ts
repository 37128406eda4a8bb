/** How many ignored files and directories that stayed on the host are named. */
export const NAMED_IGNORED = 20

/** How many files that are gone on the host, and stay in the workspace, are named. */
export const NAMED_GONE = 20

/** A short note of the files that are gone on the host; undefined where there are none. `remedy` takes them away. */
export const goneAtHome = (count: number, named: ReadonlyArray<string>, remedy: string): string | undefined => {
  if (count === 0) return undefined
  const shown = named.slice(0, 5)
  const more = count - shown.length
  const what = count === 1 ? "1 file that is gone on the host stays" : `${count} files that are gone on the host stay`
  return `${what} in the workspace: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}; ${remedy} removes ${
    count === 1 ? "it" : "them"
  }`
}

/** A short note of the ignored files that stayed on the host; undefined where none did. */
export const leftHome = (count: number, named: ReadonlyArray<string>): string | undefined => {
  if (count === 0) return undefined
  const shown = named.slice(0, 5)
  const more = count - shown.length
  const what = count === 1 ? "1 ignored file or directory stays" : `${count} ignored files and directories stay`
  return `${what} on the host: ${shown.join(", ")}${
    more > 0 ? ` and ${more} more` : ""
  }; --include-ignored GLOB takes it along`
}
