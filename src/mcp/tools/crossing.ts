import { Result } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { count } from "../../contract/text/count.ts"
import { missingOnHostNote } from "../../contract/text/host-file-notes.ts"
import type { Tool } from "../request.ts"
import { bytes, lines } from "../words.ts"

const isEmpty = (paths: unknown) => !Array.isArray(paths) || paths.length === 0

/** Maximum paths that a text names. It counts the rest. */
const NAMED = 40

const named = <A>(all: ReadonlyArray<A>, line: (one: A) => string, total = all.length) =>
  lines(...all.slice(0, NAMED).map(line), total > NAMED && `… and ${total - NAMED} more`)

const reason = ({ path, reason }: { readonly path: string; readonly reason: string }) => `${path} (${reason})`

export const patchTool: Tool<"workspace.patch.apply"> = {
  text: ({ applied, files, filesChanged, notes }) =>
    lines(
      applied
        ? `applied: ${count(filesChanged, "file")} changed`
        : `the patch fits and would change ${count(filesChanged, "file")}`,
      named(files, ({ change, from, lineEndings, path }) =>
        `${change} ${from === undefined ? path : `${from} => ${path}`}${
          lineEndings === undefined ? "" : ` (its lines still end in ${lineEndings.toUpperCase()})`
        }`, filesChanged),
      ...notes.slice(0, 20).map(({ hunk, loose, offsetLines, path }) =>
        `note: ${path} hunk ${hunk} fits${offsetLines === 0 ? "" : ` ${count(offsetLines, "line")} away`}${
          loose ? " if white space is ignored" : ""
        }`
      )
    )
}

export const exportTool: Tool<"workspace.export"> = {
  continues: ({ askExport = false }) =>
    askExport ? "The user allows or denies each export: tell the user, and go on with other work" : undefined,
  // A forgotten path would copy everything.
  fill: ({ fields }, { askExport = false }) =>
    fields["path"] === undefined && isEmpty(fields["paths"]) && fields["patch"] !== true && fields["apply"] !== true
      ? Result.fail(
        new InvalidRequest({
          field: "path",
          detail: "is missing: name one (. is all of /workspace), or give patch: true"
        })
      )
      : Result.succeed(askExport ? { ...fields, ask: true } : fields),
  text: (
    {
      bytes: size,
      changedFiles,
      checked,
      digest,
      entries,
      executableConfig,
      files,
      kind,
      notes = [],
      output,
      skipped,
      skippedCount,
      warnings
    },
    { told }
  ) =>
    lines(
      `${checked === true ? "nothing was written: would export" : "exported"} ${
        changedFiles === undefined ? count(files, "file") : `the diff of ${count(changedFiles, "changed file")}`
      } to ${output}, ${bytes(size)}`,
      digest !== undefined && `digest ${digest}`,
      (kind === "directory" || kind === "archive" || kind === "changes") &&
        named(entries, ({ path, type }) => `${path}${type === "directory" ? "/" : ""}`),
      skippedCount > 0 && `left out:\n${named(skipped, reason, skippedCount)}`,
      ...executableConfig.slice(0, NAMED).map((one) => `the host may execute automatically: ${reason(one)}`),
      ...notes.map((one) => `note: ${told(one)}`),
      ...warnings.map((one) => `warning: ${told(one)}`)
    )
}

export const diskExportTool: Tool<"workspace.disk.export"> = {
  fill: ({ fields }, { askExport = false }) =>
    askExport
      ? Result.fail(
        new InvalidRequest({
          field: "output",
          detail:
            "is on the host, and this server asks the user before each export: leave the export of a disk to the user"
        })
      )
      : Result.succeed(fields),
  text: ({ format, output, virtualBytes, writtenBytes }) =>
    `exported the disk to ${output}: ${format} image of ${bytes(virtualBytes)}, ${bytes(writtenBytes)} of data`
}

export const syncPushTool: Tool<"workspace.sync.push"> = {
  fill: ({ fields }, project) =>
    fields["source_path"] !== undefined
      ? Result.succeed(fields)
      : project.path === undefined
      ? Result.fail(
        new InvalidRequest({ field: "source_path", detail: "is missing: this server is bound to no project" })
      )
      : Result.succeed({ ...fields, source_path: project.path }),
  text: (
    {
      bytes: size,
      conflictCount,
      conflicts,
      equalCount,
      files,
      filesPushed,
      ignored,
      ignoredCount,
      missingOnHost,
      missingOnHostCount,
      skipped,
      skippedCount,
      warnings
    },
    { told }
  ) =>
    lines(
      filesPushed === 0 ? "nothing to push" : `pushed ${count(filesPushed, "file")}, ${bytes(size)}`,
      equalCount > 0 && `already equal: ${count(equalCount, "file")}`,
      named(files, ({ change, path }) => `${change} ${path}`, filesPushed),
      conflictCount > 0 &&
        `skipped, changed in the workspace (force overwrites):\n${named(conflicts, reason, conflictCount)}`,
      skippedCount > 0 && `skipped:\n${named(skipped, reason, skippedCount)}`,
      missingOnHostNote(missingOnHostCount, missingOnHost, "delete") ?? false,
      ignoredCount > 0 &&
        `ignored, left on the host (include_ignored takes globs): ${count(ignoredCount, "path")}, such as ${
          ignored.slice(0, 5).join(", ")
        }`,
      ...warnings.map((one) => `warning: ${told(one)}`)
    )
}
