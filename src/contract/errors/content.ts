import { Schema } from "effect"
import { nameLine, oneLine, someLines } from "../text/one-line.ts"
import { ContractError } from "./contract-error.ts"
import { call, option, words } from "./next-step.ts"

/** The guest's path does not allow the operation; `reason` says why. Nothing was changed. */
export class FileRefused extends ContractError<FileRefused>()("FileRefused", {
  path: Schema.String,
  /**
   * `not_found`: nothing is there. `exists`: something is there. `not_a_file`: a device, FIFO or socket, or a path that names no entry.
   * `is_a_directory`, `not_empty`: a directory is there, or one with content. `permission`: the user may not. `read_only`: the file system
   * takes no change. `no_space`: the disk or the quota is full. `outside`: beyond the tree that the operation works in.
   */
  reason: Schema.Literals([
    "outside",
    "not_found",
    "exists",
    "not_a_file",
    "is_a_directory",
    "not_a_directory",
    "not_empty",
    "binary",
    "too_large",
    "no_space",
    "permission",
    "read_only",
    "secret",
    "failed"
  ]),
  detail: Schema.String
}, {
  fact: ({ path, detail }) => `${path}: ${detail}`,
  next: ({ reason }) => reason === "not_found" ? [call("See which files there are", "workspace.file.list")] : []
}) {}

/** The file has changed since the caller read it. It was not written. */
export class FileChanged extends ContractError<FileChanged>()("FileChanged", {
  path: Schema.String,
  expectedVersion: Schema.String,
  /** Current version; `absent` if the file is gone. */
  actualVersion: Schema.String
}, {
  fact: ({ path, actualVersion, expectedVersion }) =>
    `${path} has version ${actualVersion}, not ${expectedVersion}: the file has changed. Nothing was written`,
  next: ({ path }) => [call("Read the file again, then repeat the change", "workspace.file.read", { path })]
}) {}

/** The text to replace does not occur exactly once. The file is unchanged. */
export class EditRejected extends ContractError<EditRejected>()("EditRejected", {
  path: Schema.String,
  /** Number of occurrences. */
  matches: Schema.Int,
  /** Line numbers of the first occurrences. */
  lines: Schema.Array(Schema.Int),
  detail: Schema.String
}, {
  fact: ({ path, detail }) => `${path} was not edited: ${detail}`,
  next: ({ matches, path }) => [
    ...matches > 1
      ? [words("Add the lines around the one that is meant"), option("Or replace each", "replace_all", true)]
      : [],
    call("Read the file, and copy the text exactly", "workspace.file.read", { path })
  ]
}) {}

/** Maximum hunks and files in a sentence. The fields of the error have more. */
const MOST_REJECTS = 20

/** The patch cannot be read, or does not fit. Nothing was changed. */
export class PatchRejected extends ContractError<PatchRejected>()("PatchRejected", {
  detail: Schema.String,
  /** The first hunks and files that do not fit, at most 1,000 of them. `detail` has the number of all. */
  rejects: Schema.Array(
    Schema.Struct({ path: Schema.String, hunk: Schema.Int, reason: Schema.String })
  )
}, {
  fact: ({ rejects, detail }) => {
    const named = rejects.slice(0, MOST_REJECTS).map(({ hunk, path, reason }) =>
      `\n  ${nameLine(path)}${hunk > 0 ? ` hunk ${hunk}` : ""}: ${oneLine(reason)}`
    )
    const more = rejects.length > named.length ? [`\n  and ${rejects.length - named.length} more`] : []
    return `the patch was not applied and nothing was changed: ${oneLine(detail)}${[...named, ...more].join("")}`
  },
  next: [words("Read the files, and make a new patch")]
}) {}

/** Maximum paths in a sentence. */
const MOST_PATHS = 20

/** The export, or its output, is not allowed. Nothing was written. */
export class ExportRefused extends ContractError<ExportRefused>()("ExportRefused", {
  detail: Schema.String,
  /** The first paths that caused the refusal. */
  paths: Schema.Array(Schema.String)
}, {
  fact: ({ detail, paths }) =>
    `nothing was exported: ${detail}${paths.length === 0 ? "" : ` (${someLines(paths, MOST_PATHS).join(", ")})`}`
}) {}

export const contentErrors = [FileRefused, FileChanged, EditRejected, PatchRejected, ExportRefused] as const
