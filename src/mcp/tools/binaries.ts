import { bytes } from "../words.ts"

/** A binary file's part of a patch: two encoded contents, of which each line has no space. */
const BINARY =
  /^GIT binary patch\n(?:(?:literal|delta) (\d+)\n(?:\S+(?:\n|$(?![^])))*\n?)?(?:(?:literal|delta) (\d+)\n(?:\S+(?:\n|$(?![^])))*\n?)?/gm

/**
 * A patch with a note in place of each binary content: nobody reads that, and it would cost thousands of tokens. Lines of a text file's part begin with
 * another character than a binary's.
 */
export const withoutBinaries = (patch: string): string =>
  patch.replace(BINARY, (_, after?: string, before?: string) => {
    // A deleted file has nothing after the change.
    const size = Number(after ?? 0) || Number(before ?? 0)
    return `(binary, ${bytes(size)})\n`
  })
