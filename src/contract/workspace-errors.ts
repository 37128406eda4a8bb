import { Schema } from "effect"
import { snakeFields } from "./snake.ts"

const named = (names: ReadonlyArray<string>) => names.length === 0 ? "" : `; did you mean ${names.join(" or ")}?`

export class WorkspaceNotFound extends Schema.TaggedError<WorkspaceNotFound>()(
  "WorkspaceNotFound",
  snakeFields({
    workspace: Schema.String,
    /** Names and ids that look like it. */
    similar: Schema.Array(Schema.String)
  })
) {
  get code() {
    return "workspace_not_found" as const
  }
  get fact() {
    return `no workspace "${this.workspace}"${named(this.similar)}`
  }
  override get message() {
    return `${this.fact} (see: pyro workspace list)`
  }
}

export class WorkspaceNameTaken extends Schema.TaggedError<WorkspaceNameTaken>()(
  "WorkspaceNameTaken",
  snakeFields({
    name: Schema.String,
    /** Id of the workspace that has it. */
    workspace: Schema.String
  })
) {
  get code() {
    return "workspace_name_taken" as const
  }
  get fact() {
    return `the name "${this.name}" belongs to ${this.workspace}`
  }
  override get message() {
    return `${this.fact}; choose another, or delete that one: pyro workspace delete ${this.name}`
  }
}

/** The workspace exists, but not in a state in which this can be done. Nothing was done. */
export class WorkspaceNotReady extends Schema.TaggedError<WorkspaceNotReady>()(
  "WorkspaceNotReady",
  snakeFields({
    workspace: Schema.String,
    /** What it is now, such as `stopped`, `failed` or `deleting`. */
    state: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "workspace_not_ready" as const
  }
  get fact() {
    return `workspace ${this.workspace} is ${this.state}: ${this.detail}`
  }
  override get message() {
    return this.state === "stopped" ? `${this.fact} (pyro workspace start ${this.workspace})` : this.fact
  }
}

/** A workspace's disk, or a snapshot's, is not one that a guest can go on with: something in a guest wrote over it. Nothing was changed. */
export class DiskDamaged
  extends Schema.TaggedError<DiskDamaged>()("DiskDamaged", snakeFields({ detail: Schema.String }))
{
  get code() {
    return "disk_damaged" as const
  }
  get fact() {
    return `the disk cannot be used as it is: ${this.detail}`
  }
  override get message() {
    return `${this.fact}; go back to the seed, or to an earlier snapshot, with: pyro workspace reset`
  }
}

export class SnapshotNotFound extends Schema.TaggedError<SnapshotNotFound>()(
  "SnapshotNotFound",
  snakeFields({
    workspace: Schema.String,
    snapshot: Schema.String,
    /** Names that look like it. */
    similar: Schema.Array(Schema.String)
  })
) {
  get code() {
    return "snapshot_not_found" as const
  }
  get fact() {
    return `workspace ${this.workspace} has no snapshot "${this.snapshot}"${named(this.similar)}`
  }
  override get message() {
    return `${this.fact} (see: pyro workspace snapshot list ${this.workspace})`
  }
}

export class SnapshotExists extends Schema.TaggedError<SnapshotExists>()(
  "SnapshotExists",
  snakeFields({
    workspace: Schema.String,
    snapshot: Schema.String
  })
) {
  get code() {
    return "snapshot_exists" as const
  }
  get fact() {
    return `workspace ${this.workspace} has a snapshot "${this.snapshot}" already`
  }
  override get message() {
    return `${this.fact}; choose another name, or delete that one: pyro workspace snapshot delete ${this.workspace} ${this.snapshot}`
  }
}

/** Captured memory cannot go on here. Nothing was changed. */
export class SnapshotMismatch extends Schema.TaggedError<SnapshotMismatch>()(
  "SnapshotMismatch",
  snakeFields({
    /** Snapshot, or workspace, whose memory it is. */
    what: Schema.String,
    /** What is not as it was, a sentence each. */
    differences: Schema.Array(Schema.String)
  })
) {
  get code() {
    return "snapshot_mismatch" as const
  }
  get fact() {
    return `the memory of ${this.what} cannot go on here: ${this.differences.join("; ")}`
  }
  override get message() {
    return `${this.fact}; its files still can, in a fresh microVM: add --disk-only`
  }
}

export class ExecNotFound extends Schema.TaggedError<ExecNotFound>()(
  "ExecNotFound",
  snakeFields({
    workspace: Schema.String,
    execId: Schema.String
  })
) {
  get code() {
    return "exec_not_found" as const
  }
  get fact() {
    return `workspace ${this.workspace} has no command ${this.execId}; it never started there`
  }
  override get message() {
    return `${this.fact} (see: pyro workspace logs ${this.workspace})`
  }
}

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

export class DaemonUnavailable extends Schema.TaggedError<DaemonUnavailable>()(
  "DaemonUnavailable",
  snakeFields({ detail: Schema.String })
) {
  get code() {
    return "daemon_unavailable" as const
  }
  get fact() {
    return `pyro's workspaces cannot be reached: ${this.detail}`
  }
  override get message() {
    return `${this.fact}; see: pyro daemon logs`
  }
}

/** A daemon of another version holds the workspaces. */
export class DaemonMismatch extends Schema.TaggedError<DaemonMismatch>()(
  "DaemonMismatch",
  snakeFields({
    running: Schema.String,
    own: Schema.String,
    detail: Schema.String
  })
) {
  get code() {
    return "daemon_mismatch" as const
  }
  get fact() {
    return `the daemon is pyro ${this.running}, this is ${this.own}: ${this.detail}`
  }
  override get message() {
    return `${this.fact}; use that version, or replace it (running commands go on): pyro daemon stop`
  }
}
