/** Entries that the check of a link needs. Paths are raw. */
interface LinkTree {
  readonly get: (path: string) => { readonly type: string; readonly target?: string | undefined } | undefined
}

const stepsMost = 256
const hopsMost = 40

/** Maximum work to follow all links of a tree, in resolved components: a guest can make endless links. */
export class LinkBudget {
  left = 10_000_000
}

const loops = "it is a link through too many others"
const leadsOut = "it is a link that leads out of what is exported"
const dangles = "it is a link to nothing that is exported"
const turnsBack = "it is a link with .. after a name; the link would lead elsewhere if that name became a link"

/**
 * Whether a target has `..` after a name. Without it, each `..` starts in a directory that the export itself makes, so the link
 * cannot leave the output, also after later exports.
 */
const hasLateParent = (parts: ReadonlyArray<string>): boolean => {
  const first = parts.findIndex((part) => part !== "" && part !== "." && part !== "..")
  return first >= 0 && parts.includes("..", first)
}

/**
 * Resolves a link as the kernel would, among the exported entries. `undefined` if the link ends at an entry and no later
 * export can lead it out, else the reason for leaving it out.
 */
export const linkProblem = (
  tree: LinkTree,
  path: string,
  target: string,
  budget: LinkBudget
): string | undefined => {
  const at = path.split("/").slice(0, -1)
  let left = target.split("/").reverse()
  let hops = 0
  if (target === "") return dangles
  if (target.startsWith("/")) return leadsOut
  if (hasLateParent(target.split("/"))) return turnsBack
  for (let steps = 0; left.length > 0; steps++) {
    const part = left.pop()!
    budget.left -= at.length + 1
    if (steps > stepsMost || budget.left < 0) return loops
    if (part === "" || part === ".") continue
    if (part === "..") {
      if (at.pop() === undefined) return leadsOut
      continue
    }
    const next = tree.get([...at, part].join("/"))
    if (next === undefined) return dangles
    if (next.type === "symlink") {
      if (++hops > hopsMost) return loops
      if (next.target === undefined || next.target.startsWith("/")) return leadsOut
      left = [...left, ...next.target.split("/").reverse()]
      if (left.length > 2 * stepsMost) return loops
    } else if (next.type === "directory") at.push(part)
    else if (left.length > 0) return dangles
  }
  return undefined
}

/** Links to files that vanished. */
export const linksTo = (
  entries: ReadonlyArray<{ readonly path: string; readonly type: string; readonly target?: string | undefined }>,
  gone: ReadonlySet<string>
): ReadonlyArray<string> => {
  if (gone.size === 0) return []
  const written = new Map(entries.flatMap((entry) => gone.has(entry.path) ? [] : [[entry.path, entry] as const]))
  const budget = new LinkBudget()
  return [...written.values()].flatMap(({ path, target }) =>
    target !== undefined && linkProblem(written, path, target, budget) !== undefined ? [path] : []
  )
}
