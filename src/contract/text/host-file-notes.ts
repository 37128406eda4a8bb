import { printable } from "./printable.ts"

/** Maximum names of ignored files in a result. */
export const MAX_IGNORED_NAMES = 20

/** Maximum names of files that are gone on the host in a result. */
export const MAX_MISSING_NAMES = 20

/** Note about a directory of the host that was missing above an output. */
export const madeNote = (directory: string) => `made the directory ${printable(directory)}, which was missing`

/** Why an import leaves out an entry named `.git`. */
export const NO_GIT_ENTRY = "pyro copies no entry named .git"

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
  return `${what} on the host: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

/** Files and directories that lost a property in a copy. */
interface Loss {
  readonly count: number
  /** Path of the first one. */
  readonly first: string
}

/** Properties that no copy between a host and a guest keeps. */
export interface Losses {
  /** Set-user-ID and set-group-ID bits. */
  readonly setIds?: Loss
  /** User attributes, capabilities and access control lists. */
  readonly attributes?: Loss
  /** Executable bits, on a host that has none. */
  readonly executable?: Loss
}

/** Adds one file to the losses of a property. */
export const withLoss = (losses: Losses, property: keyof Losses, path: string): Losses => {
  const { count = 0, first = path } = losses[property] ?? {}
  return { ...losses, [property]: { count: count + 1, first } }
}

const lostText = {
  setIds: "the set-user-ID or set-group-ID bit",
  attributes: "extended attributes (user attributes, capabilities or access control lists)",
  executable: "the executable bit, which Windows does not have"
} as const

/** One note for each lost property. `shown` gives a path in the reader's form. */
export const lossNotes = (
  losses: Losses = {},
  shown: (path: string) => string = (path) => path
): ReadonlyArray<string> =>
  (["setIds", "attributes", "executable"] as const).flatMap((property) => {
    const loss = losses[property]
    if (loss === undefined) return []
    const { count, first } = loss
    const what = count === 1
      ? "the copy of 1 file or directory lacks"
      : `the copies of ${count} files and directories lack`
    return [`${what} ${lostText[property]}: ${shown(first)}${count > 1 ? ` and ${count - 1} more` : ""}`]
  })

const kib = 1024
const mib = 1024 * kib

/** A size for people, rounded up. */
export const sizeText = (bytes: number): string =>
  bytes < kib ? `${bytes} bytes` : bytes < mib ? `${Math.ceil(bytes / kib)} KiB` : `${Math.ceil(bytes / mib)} MiB`
