import { table } from "../contract/names.ts"

/** Short words that users know from other tools, and the words that they stand for. */
const FIRST = table<ReadonlyArray<string>>({
  ws: ["workspace"],
  ls: ["workspace", "list"],
  ps: ["workspace", "list"],
  rm: ["workspace", "delete"]
})

const VERBS = table({ ls: "list", rm: "delete" })

/** The path that begins with `path` and goes on with `word`, where that is an alias; `exists` knows pyro's own paths. */
export const unaliased = (
  path: ReadonlyArray<string>,
  word: string,
  exists: (path: ReadonlyArray<string>) => boolean
): ReadonlyArray<string> | undefined => {
  if (path.length === 0) return FIRST[word]
  if (path.length === 1 && path[0] === "workspace" && word === "ps") return ["workspace", "list"]
  const verb = VERBS[word]
  return verb !== undefined && exists([...path, verb]) ? [...path, verb] : undefined
}

/** Help text of the aliases. */
export const aliasHelp = "Short forms: ws for workspace, ls and ps for workspace list, rm for workspace delete"
