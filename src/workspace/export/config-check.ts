import { ExportRefused } from "../../contract/errors.ts"
import type { ExportRemark } from "../../contract/operations/workspace-export.ts"
import { bareRepository, executableConfig } from "./executable-config.ts"
import { shown } from "./guest-path.ts"
import { folded } from "./names.ts"
import { Remarks } from "./remarks.ts"
import type { TreeEntry } from "./tree.ts"

/** Reasons by raw path, for files that tools of the host would execute by themselves. */
export type ExecutablePaths = ReadonlyMap<string, string>

/** Reasons for an exported tree. `tail` is the part of the output's own path that the rules also judge. */
export const executableEntries = (entries: ReadonlyArray<TreeEntry>, tail: string): ExecutablePaths => {
  const found = new Map<string, string>()
  const inside = new Map<string, Set<string>>()
  for (const { path, type } of entries) {
    const reason = type === "directory" ? undefined : executableConfig(path === "" ? tail : `${tail}/${path}`)
    if (reason !== undefined) found.set(path, reason)
    const slash = path.lastIndexOf("/")
    const name = folded(path.slice(slash + 1))
    if (path === "" || !(bareRepository.names as ReadonlyArray<string>).includes(name)) continue
    const folder = path.slice(0, Math.max(slash, 0))
    const names = inside.get(folder) ?? new Set()
    inside.set(folder, names.add(name))
    if (names.size === bareRepository.names.length) found.set(folder, bareRepository.reason)
  }
  return found
}

/** Reasons for the paths that a patch writes or removes. */
export const executablePaths = (paths: ReadonlyArray<string>): ExecutablePaths =>
  new Map(paths.flatMap((path) => {
    const reason = executableConfig(path)
    return reason === undefined ? [] : [[path, reason] as const]
  }))

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
