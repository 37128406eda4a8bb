import { Schema } from "effect"
import { ContractError, type ToolSteps } from "./contract-error.ts"

/** The guest's path has the wrong type, or lies outside /workspace. Nothing was changed. */
export class FileRefused extends ContractError<FileRefused>()(
  "FileRefused",
  {
    path: Schema.String,
    reason: Schema.Literals([
      "outside",
      "not_found",
      "exists",
      "not_a_file",
      "not_a_directory",
      "binary",
      "too_large",
      "no_space",
      "permission",
      "secret",
      "failed"
    ]),
    detail: Schema.String
  }
) {
  override get message() {
    return `${this.path}: ${this.detail}`
  }
  toolSteps(): ToolSteps {
    return this.reason === "not_found"
      ? ["call workspace_file_list for the existing files", "name another path"]
      : ["nothing was changed; name another path, or use workspace_exec", "nothing was changed; name another path"]
  }
}

/** The file has changed since the caller read it. It was not written. */
export class FileChanged extends ContractError<FileChanged>()(
  "FileChanged",
  {
    path: Schema.String,
    expectedVersion: Schema.String,
    /** Current version; `absent` if the file is gone. */
    actualVersion: Schema.String
  }
) {
  override get message() {
    return `${this.path} has version ${this.actualVersion}, not ${this.expectedVersion}: the file has changed. Nothing was written. ` +
      `Read the file again, then repeat the change`
  }
  toolSteps(): ToolSteps {
    return "call workspace_file_read again, then repeat the change"
  }
}

/** The text to replace does not occur exactly once. The file is unchanged. */
export class EditRejected extends ContractError<EditRejected>()(
  "EditRejected",
  {
    path: Schema.String,
    /** Number of occurrences. */
    matches: Schema.Int,
    /** Line numbers of the first occurrences. */
    lines: Schema.Array(Schema.Int),
    detail: Schema.String
  }
) {
  override get message() {
    return `${this.path} was not edited: ${this.detail}`
  }
  toolSteps(): ToolSteps {
    return "call workspace_file_read and copy the text exactly, with enough lines around it to be unique"
  }
}

/** The patch cannot be read, or does not fit. Nothing was changed. */
export class PatchRejected extends ContractError<PatchRejected>()(
  "PatchRejected",
  {
    detail: Schema.String,
    /** One entry per hunk or file that does not fit. */
    rejects: Schema.Array(
      Schema.Struct({ path: Schema.String, hunk: Schema.Int, reason: Schema.String })
    )
  }
) {
  override get message() {
    const lines = this.rejects.map(({ hunk, path, reason }) =>
      `\n  ${path}${hunk > 0 ? ` hunk ${hunk}` : ""}: ${reason}`
    )
    return `the patch was not applied and nothing was changed: ${this.detail}${lines.join("")}`
  }
  toolSteps(): ToolSteps {
    return "read the files with workspace_file_read and write a new patch"
  }
}

/** The export, or its output, is not allowed. Nothing was written. */
export class ExportRefused extends ContractError<ExportRefused>()(
  "ExportRefused",
  {
    detail: Schema.String,
    /** The first paths that are the reason. */
    paths: Schema.Array(Schema.String)
  }
) {
  override get message() {
    return `nothing was exported: ${this.detail}${this.paths.length === 0 ? "" : ` (${this.paths.join(", ")})`}`
  }
  toolSteps(): ToolSteps {
    return "nothing was written on the host; correct the named paths and call again"
  }
}
