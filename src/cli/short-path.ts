import { GROUP } from "./aliases.ts"
import { commands } from "./commands.ts"

/** The fewest words that are typed for a path of pyro's: `exec` for `workspace exec`, where nothing else of pyro's begins so. */
export const shortPath = (path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const short = path.slice(1)
  const isTaken = commands.some(({ cli }) => short.every((word, at) => cli.path[at] === word))
  return path[0] === GROUP && !isTaken ? short : path
}

/** `pyro exec`, as a person types a command. */
export const shortly = (path: ReadonlyArray<string>): string => ["pyro", ...shortPath(path)].join(" ")
