import { option, words } from "../../../contract/errors/next-step.ts"
import { type Notice, notice } from "../../../contract/rows/notice.ts"
import type { ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import type { Pushed } from "../../../lib/seeding/model/pushed.ts"
import type { Changes } from "../diff/changes.ts"

/** Maximum number of repositories that a note names. */
const NAMED = 5

const EXPORT_THEM = option("Export them too", "include_ignored", true)

/** Says what the diff leaves out, although no rule of the project excludes it. */
export const leftOutNotes = (
  { defaultRules, ignoredCount, nested }: Pick<Changes, "defaultRules" | "ignoredCount" | "nested">
): ReadonlyArray<Notice> => [
  ...(defaultRules.length === 0 ? [] : [
    notice(
      "hint",
      `${ignoredCount} ignored ${ignoredCount === 1 ? "file is" : "files are"} left out (also by pyro's own list: ${
        defaultRules.join(", ")
      })`,
      [EXPORT_THEM]
    )
  ]),
  ...(nested.length === 0 ? [] : [
    notice(
      "hint",
      `new files of ${
        nested.length === 1 ? "1 repository" : `${nested.length} repositories`
      } made in the workspace are left out (${
        [...nested.slice(0, NAMED).map(pathText), ...(nested.length > NAMED ? ["..."] : [])].join(", ")
      })`,
      [words("Name one"), EXPORT_THEM]
    )
  ])
]

const isAt = (wanted: ReadonlyArray<string>, path: string) =>
  wanted.length === 0 || wanted.some((one) => one === "" || path === one || path.startsWith(`${one}/`))

/** Says why there is nothing to export. */
export const emptyNote = (
  { apply, exclude, patch }: Pick<ExportPayload, "apply" | "exclude" | "patch">,
  pushed: Pick<Pushed, "entries">,
  { ignoredCount, nested, paths = [] }: Pick<Changes, "ignoredCount" | "nested"> & {
    readonly paths?: ReadonlyArray<Uint8Array> | undefined
  }
): Notice => {
  const wanted = paths.map((path) => Buffer.from(path).toString("latin1"))
  const isApplied = [...pushed.entries].some(([path, { applied }]) => applied === true && isAt(wanted, path))
  const why = isApplied && exclude.length === 0
    ? `all changes of the ${wanted.length === 0 ? "workspace" : "path"} were applied already`
    : exclude.length > 0 || wanted.length > 0
    ? "no change that the request selects is left"
    : ignoredCount > 0 || nested.length > 0
    ? "the workspace has no other changes"
    : "the workspace has no changes"
  return notice(
    "hint",
    `nothing to export: ${why}${patch ? "; the patch is empty, and no tool applies an empty patch" : ""}`,
    // Who types a directory of the host after the workspace selects nothing.
    apply && !isApplied && wanted.length > 0 ? [option("Name the directory of the host", "output")] : []
  )
}
