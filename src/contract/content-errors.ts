import { Schema } from "effect"
import { snakeFields } from "./snake.ts"

/** A path of the guest that is not what the request needs, or lies where the request may not go. Nothing was changed. */
export class FileRefused extends Schema.TaggedError<FileRefused>()(
  "FileRefused",
  snakeFields({
    path: Schema.String,
    reason: Schema.Literal(
      "outside",
      "not_found",
      "exists",
      "not_a_file",
      "not_a_directory",
      "binary",
      "too_large",
      "no_space",
      "permission",
      "failed"
    ),
    detail: Schema.String
  })
) {
  get code() {
    return "file_refused" as const
  }
  override get message() {
    return `${this.path}: ${this.detail}`
  }
}

/** Somebody else changed the file since the caller saw it. It was not written. */
export class FileChanged extends Schema.TaggedError<FileChanged>()(
  "FileChanged",
  snakeFields({
    path: Schema.String,
    expectedVersion: Schema.String,
    /** Version that is there now; `absent` when the file is gone. */
    actualVersion: Schema.String
  })
) {
  get code() {
    return "file_changed" as const
  }
  override get message() {
    return `${this.path} changed since version ${this.expectedVersion} (now ${this.actualVersion}); nothing was written, ` +
      `read it again and decide anew`
  }
}

/** The text to replace is not there, or not only once. The file is unchanged. */
export class EditRejected extends Schema.TaggedError<EditRejected>()(
  "EditRejected",
  snakeFields({
    path: Schema.String,
    /** How often the text was found. */
    matches: Schema.Int,
    /** Lines where it was found, the first few of them. */
    lines: Schema.Array(Schema.Int),
    detail: Schema.String
  })
) {
  get code() {
    return "edit_rejected" as const
  }
  override get message() {
    return `${this.path} was not edited: ${this.detail}`
  }
}

/** A patch that cannot be read, or does not fit. Nothing was changed. */
export class PatchRejected extends Schema.TaggedError<PatchRejected>()(
  "PatchRejected",
  snakeFields({
    detail: Schema.String,
    /** One line per hunk or file that does not fit. */
    rejects: Schema.Array(
      Schema.Struct({ path: Schema.String, hunk: Schema.Int, reason: Schema.String })
    )
  })
) {
  get code() {
    return "patch_rejected" as const
  }
  override get message() {
    const lines = this.rejects.map(({ hunk, path, reason }) =>
      `\n  ${path}${hunk > 0 ? ` hunk ${hunk}` : ""}: ${reason}`
    )
    return `the patch was not applied, nothing was changed: ${this.detail}${lines.join("")}`
  }
}

/** What was asked to cross to the host may not, or not there. Nothing was written. */
export class ExportRefused extends Schema.TaggedError<ExportRefused>()(
  "ExportRefused",
  snakeFields({
    detail: Schema.String,
    /** Paths that are the reason, a few of them. */
    paths: Schema.Array(Schema.String)
  })
) {
  get code() {
    return "export_refused" as const
  }
  override get message() {
    return `nothing was exported: ${this.detail}${this.paths.length === 0 ? "" : ` (${this.paths.join(", ")})`}`
  }
}
