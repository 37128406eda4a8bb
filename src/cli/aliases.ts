import { named, table } from "../contract/text/names.ts"

/** Short words that users know from other tools, and the words that they stand for. */
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

/** `pyro exec` is `pyro workspace exec`: a verb of this group needs no group, where pyro has no command of that name. */
export const GROUP = "workspace"

/** The path that begins with `path` and goes on with `word`, where that is an alias; `exists` knows pyro's own paths. */
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

/** Each first word that stands for others, on command lines that may have any of `paths`. */
export const firstWords = (
  paths: ReadonlyArray<ReadonlyArray<string>>
): Readonly<ReturnType<typeof named<ReadonlyArray<string>>>> => {
  const own = new Set(paths.map(([word]) => word))
  const verbs = paths.flatMap(([group, verb = ""]) => group === GROUP && !own.has(verb) ? [verb] : [])
  return { ...named(verbs.map((verb) => [verb, [GROUP, verb]] as const)), ...SHORT }
}

/** Help text of the aliases. */
export const aliasHelp = "You may omit `workspace`: pyro exec. Short: w, ws; ls, ps (list); rm (delete)"
