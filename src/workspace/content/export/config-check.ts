import { ExportRefused } from "../../../contract/errors/errors.ts"
import type { ExportRemark } from "../../../contract/rows/workspace-export.ts"
import { executableConfig, repositoriesIn } from "./executable-config.ts"
import { shown } from "./guest-path.ts"
import { Remarks } from "./remarks.ts"
import type { TreeEntry } from "./tree.ts"

/** Reasons by raw path, for files that tools of the host would execute by themselves. */
export type ExecutablePaths = ReadonlyMap<string, string>

/** Reasons for an exported tree. `tail` is the part of the output's own path that the rules also judge. */
export const executableEntries = (entries: ReadonlyArray<TreeEntry>, tail: string): ExecutablePaths => {
  const found = new Map<string, string>()
  for (const { path, type } of entries) {
    const reason = type === "directory" ? undefined : executableConfig(path === "" ? tail : `${tail}/${path}`)
    if (reason !== undefined) found.set(path, reason)
  }
  return new Map([...found, ...repositoriesIn(entries.map(({ path }) => path))])
}

/** Paths, and the directories above them. */
const withParents = (paths: ReadonlyArray<string>): ReadonlySet<string> => {
  const all = new Set(paths)
  for (const path of paths) {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const parent = path.slice(0, slash)
      if (all.has(parent)) break
      all.add(parent)
    }
  }
  return all
}

/** Reasons for the paths that a patch writes or removes. */
export const executablePaths = (paths: ReadonlyArray<string>): ExecutablePaths =>
  new Map([
    ...paths.flatMap((path) => {
      const reason = executableConfig(path)
      return reason === undefined ? [] : [[path, reason] as const]
    }),
    ...repositoriesIn(withParents(paths))
  ])

const told = 10

export const executableRefusal = (found: ExecutablePaths): ExportRefused =>
  new ExportRefused({
    detail:
      `tools of the host would execute ${found.size === 1 ? "this" : `these ${found.size} paths`} by themselves; ` +
      "look at what is in them, then allow it with --allow-executable-config",
    paths: [...found].slice(0, told).map(([path, reason]) => `${path === "" ? "the output" : shown(path)}: ${reason}`)
  })

export const remarksOf = (found: ExecutablePaths): ReadonlyArray<ExportRemark> => {
  const remarks = new Remarks()
  for (const [path, reason] of found) remarks.add(path, reason)
  return remarks.told
}
