import { ExportRefused } from "../../contract/errors/errors.ts"
import { option, words } from "../../contract/errors/next-step.ts"
import type { ExportRemark } from "../../contract/rows/workspace-export.ts"
import { executableConfig, type ExecutablePaths, repositoriesIn } from "../../contract/text/executable-config.ts"
import { shown } from "./names.ts"
import { Remarks, type TreeEntry } from "./tree.ts"

/** Reasons for an exported tree. `tail` is the part of the output's own path that the rules also judge. */
export const executableEntries = (entries: ReadonlyArray<TreeEntry>, tail: string): ExecutablePaths => {
  const found = new Map<string, string>()
  for (const { path, type } of entries) {
    const reason = type === "directory" ? undefined : executableConfig(path === "" ? tail : `${tail}/${path}`)
    if (reason !== undefined) found.set(path, reason)
  }
  return new Map([...found, ...repositoriesIn(entries.map(({ path }) => path))])
}

/** Number of paths in a refusal. */
const MAX_NAMED = 10

export const executableRefusal = (found: ExecutablePaths): ExportRefused =>
  new ExportRefused({
    detail: `tools of the host would execute ${found.size === 1 ? "this" : `these ${found.size} paths`} by themselves`,
    next: [words("Look at what is in them"), option("Then allow it", "allow_executable_config", true)],
    paths: [...found].slice(0, MAX_NAMED).map(([path, reason]) =>
      `${path === "" ? "the output" : shown(path)}: ${reason}`
    )
  })

export const remarksOf = (found: ExecutablePaths): ReadonlyArray<ExportRemark> => {
  const remarks = new Remarks()
  for (const [path, reason] of found) remarks.add(path, reason)
  return remarks.listed
}
