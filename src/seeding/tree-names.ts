// Paths within a tree are latin1 text, with one character for each byte.

export const nameOf = ({ buffer, byteLength, byteOffset }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString("latin1")

/** The directories above a path, the outermost first. */
export const parentsOf = (name: string): ReadonlyArray<string> =>
  [...name.matchAll(/\//g)].map(({ index }) => name.slice(0, index))

export const withinGit = (name: string) => name.split("/").includes(".git")
