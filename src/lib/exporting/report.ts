import { Clock, Effect } from "effect"
import type { Notice } from "../../contract/rows/notice.ts"
import type { ExportedEntry } from "../../contract/rows/workspace-export.ts"
import { count } from "../../contract/text/count.ts"
import type { ExecutablePaths } from "../../contract/text/executable-config.ts"
import { raw } from "../../system/files/folded-name.ts"
import type { PutDone } from "../../system/files/put.ts"
import { shown } from "./names.ts"
import type { TreeEntry } from "./tree.ts"

const quietMs = 1_000
const betweenMs = 250
const mib = (bytes: number) => (bytes / (1024 * 1024)).toFixed(1)

/** Reports progress after a second, and then four times a second. */
export const progressOf = <E, R>(
  total: { readonly bytes: number; readonly files: number },
  emit: (notice: Notice) => Effect.Effect<unknown, E, R>
) =>
  Effect.map(Clock.currentTimeMillis, (start) => {
    let bytes = 0
    let files = 0
    let next = start + quietMs
    const look = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now < next) return Effect.void
      next = now + betweenMs
      const fraction = total.bytes > 0 ? bytes / total.bytes : total.files > 0 ? files / total.files : 1
      const message = `exported ${mib(bytes)} of ${mib(total.bytes)} MiB, ${files} of ${count(total.files, "file")}`
      return emit({ _tag: "Notice", level: "progress", message, fraction: Math.min(1, fraction) })
    })
    return {
      bytes: (count: number) => Effect.suspend(() => ((bytes += count), look)),
      file: Effect.suspend(() => ((files += 1), look))
    }
  })

/** Outcome of each file, by raw path. */
export interface Writing {
  readonly digests: Map<string, { readonly size: number; readonly sha256: string }>
  /** Files that vanished and are left out. */
  readonly gone: Set<string>
  /** Files with more or less content than their listed size. */
  readonly changed: Array<string>
}

/** The written entries, without directories that existed before and files that vanished. */
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
