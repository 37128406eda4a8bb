import type { ExportedEntry } from "../../../contract/rows/workspace-export.ts"
import { raw } from "../../../system/files/folded-name.ts"
import type { PutDone } from "../../../system/files/put.ts"
import type { ExecutablePaths } from "./config-check.ts"
import { shown } from "./guest-path.ts"
import type { TreeEntry } from "./tree.ts"

/** Outcome of each file, by raw path. */
export interface Writing {
  readonly digests: Map<string, { readonly size: number; readonly sha256: string }>
  /** Left out after all. */
  readonly gone: Set<string>
  /** Written, with more or less content than they had at first. */
  readonly changed: Array<string>
}

/** Exactly the written files: no directory that existed, no file that vanished. */
export const manifestOf = (
  entries: ReadonlyArray<TreeEntry>,
  writing: Writing,
  done: PutDone,
  executable: ExecutablePaths
): ReadonlyArray<ExportedEntry> => {
  const there = new Set(done.there.map(raw))
  const replaced = new Set(done.replaced.map(raw))
  return entries.filter(({ path }) => !there.has(path) && !writing.gone.has(path)).map((entry): ExportedEntry => {
    const content = writing.digests.get(entry.path)
    const reason = executable.get(entry.path)
    return {
      path: shown(entry.path),
      type: entry.type,
      mode: entry.mode.toString(8).padStart(4, "0"),
      size: content?.size ?? 0,
      ...(content === undefined ? {} : { sha256: content.sha256 }),
      ...(entry.target === undefined ? {} : { target: shown(entry.target) }),
      ...(replaced.has(entry.path) ? { replaced: true } : {}),
      ...(reason === undefined ? {} : { executableConfig: reason })
    }
  })
}
