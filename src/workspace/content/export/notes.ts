import type { ExportEvent, ExportPayload } from "../../../contract/rows/workspace-export.ts"
import { EXPORT_LEFT_OUT } from "../../../contract/text/export-refusals.ts"
import { pathText } from "../../../contract/text/path-text.ts"
import type { Pushed } from "../../../lib/seeding/model/pushed.ts"
import type { Changes } from "../diff/changes.ts"

/** Maximum number of repositories that a note names. */
const NAMED = 5

/** A fact of an export that needs no repair. */
export const hintOf = (message: string): ExportEvent => ({ _tag: "Notice", level: "hint", message })

/** Says what the diff leaves out, although no rule of the project excludes it. */
export const leftOutNotes = (
  { defaultRules, ignoredCount, nested }: Pick<Changes, "defaultRules" | "ignoredCount" | "nested">
): ReadonlyArray<string> => [
  ...(defaultRules.length === 0 ? [] : [
    `${ignoredCount} ignored ${ignoredCount === 1 ? "file is" : "files are"} left out (also by pyro's ` +
    `own list: ${defaultRules.join(", ")}); ${EXPORT_LEFT_OUT}`
  ]),
  ...(nested.length === 0 ? [] : [
    `new files of ${
      nested.length === 1 ? "1 repository" : `${nested.length} repositories`
    } made in the workspace are left out (${
      [...nested.slice(0, NAMED).map(pathText), ...(nested.length > NAMED ? ["..."] : [])].join(", ")
    }); name one, or ${EXPORT_LEFT_OUT}`
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
): string => {
  const wanted = paths.map((path) => Buffer.from(path).toString("latin1"))
  const isApplied = [...pushed.entries].some(([path, { applied }]) => applied === true && isAt(wanted, path))
  const why = isApplied && exclude.length === 0
    ? `all changes of the ${wanted.length === 0 ? "workspace" : "path"} were applied already`
    : exclude.length > 0 || wanted.length > 0
    ? `no change that the request selects is left${
      apply && wanted.length > 0
        ? ". The paths select files of the workspace; the directory of the host is --output DIR"
        : ""
    }`
    : ignoredCount > 0 || nested.length > 0
    ? "the workspace has no other changes"
    : "the workspace has no changes"
  return `nothing to export: ${why}${patch ? "; the patch is empty, and no tool applies an empty patch" : ""}`
}
