import { named, table } from "../../contract/text/names.ts"
import { commands } from "../rows/rows.ts"

/** Short words that users know from other tools, and their full words. */
const SHORT = {
  w: ["workspace"],
  ws: ["workspace"],
  ls: ["workspace", "list"],
  ps: ["workspace", "list"],
  rm: ["workspace", "delete"],
  stats: ["top"]
}

const WORDS = table<ReadonlyArray<string>>(SHORT)

const VERBS = table({ ls: "list", rm: "delete" })

/** `pyro exec` is `pyro workspace exec`: users may omit this group, unless pyro has a command with the verb's name. */
export const GROUP = "workspace"

/** The full path of `path` and the next word `word`, if that is an alias. `exists` knows pyro's own paths. */
export const unaliased = (
  path: ReadonlyArray<string>,
  word: string,
  exists: (path: ReadonlyArray<string>) => boolean
): ReadonlyArray<string> | undefined => {
  const words = path.length === 0 ? WORDS[word] : undefined
  if (words !== undefined) return words
  if (path.length === 1 && path[0] === GROUP && word === "ps") return [GROUP, "list"]
  const verb = VERBS[word]
  const candidates = [
    ...(verb === undefined ? [] : [[...path, verb]]),
    ...(path[0] === GROUP ? [] : [[GROUP, ...path, word]])
  ]
  return candidates.find(exists)
}

/** The full words of each first word that is an alias. `paths` are pyro's own. */
export const firstWords = (
  paths: ReadonlyArray<ReadonlyArray<string>>
): Readonly<ReturnType<typeof named<ReadonlyArray<string>>>> => {
  const own = new Set(paths.map(([word]) => word))
  const verbs = paths.flatMap(([group, verb = ""]) => group === GROUP && !own.has(verb) ? [verb] : [])
  return { ...named(verbs.map((verb) => [verb, [GROUP, verb]] as const)), ...SHORT }
}

/** Help text of the aliases. */
export const aliasHelp = "You may omit `workspace`: pyro exec, pyro ls"

/** The shortest words for a path: `exec` for `workspace exec`, if no other command begins with them. */
export const shortPath = (path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const short = path.slice(1)
  const isTaken = commands.some(({ cli }) => short.every((word, at) => cli.path[at] === word))
  return path[0] === GROUP && !isTaken ? short : path
}

/** A command as a person types it: `pyro exec`. */
export const shortly = (path: ReadonlyArray<string>): string => ["pyro", ...shortPath(path)].join(" ")
