/** How many ignored files and directories that stayed on the host are named. */
export const NAMED_IGNORED = 20

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
