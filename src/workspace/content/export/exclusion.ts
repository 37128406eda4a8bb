import { Effect } from "effect"
import { ExportRefused } from "../../../contract/errors/errors.ts"
import { IgnoreRules, TooManyRules } from "../../../ignore/ignore-rules.ts"
import type { Change } from "../../../patch/patch.ts"
import { raw } from "../../../system/files/folded-name.ts"

/** Whether a path, raw and relative to /workspace, is excluded by globs as in .gitignore. Throws `TooManyRules`. */
export const exclusion = (
  globs: ReadonlyArray<string>
): (path: string, isDirectory: boolean) => boolean => {
  if (globs.length === 0) return () => false
  const rules = new IgnoreRules()
  rules.exclude(globs.map((glob) => raw(Buffer.from(glob, "utf8"))).join("\n"))
  return (path, isDirectory) => rules.ignores(path, isDirectory)
}

/** Changes at paths that no glob excludes; a rename counts with both its names. */
export const withoutExcluded = (
  changes: ReadonlyArray<Change>,
  globs: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Change>, ExportRefused> =>
  Effect.try({
    try: () => {
      const excluded = exclusion(globs)
      return changes.filter(({ from, path }) => ![path, from ?? path].some((one) => excluded(raw(one), false)))
    },
    catch: (error) => {
      if (!(error instanceof TooManyRules)) throw error
      return tooManyGlobs
    }
  })

export const tooManyGlobs = new ExportRefused({
  detail: "the globs to exclude take too long to match so many paths; give fewer, or name the paths to export",
  paths: []
})
