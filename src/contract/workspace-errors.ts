import { Schema } from "effect"
import { optional } from "./fields.ts"
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

/** The beginning of an id, or of a snapshot's name, fits several. Nothing was done. */
export class IdAmbiguous extends Schema.TaggedError<IdAmbiguous>()(
  "IdAmbiguous",
  snakeFields({
    /** What it was to name. */
    what: Schema.Literal("workspace", "command", "snapshot"),
    given: Schema.String,
    /** What begins so, at most ten of them. */
    candidates: Schema.Array(Schema.String)
  })
) {
  get code() {
    return "id_ambiguous" as const
  }
  override get message() {
    return `"${this.given}" is the beginning of several ${this.what}s: ${this.candidates.join(", ")}; type more of it`
  }
}

export class WorkspaceNameTaken extends Schema.TaggedError<WorkspaceNameTaken>()(
  "WorkspaceNameTaken",
  snakeFields({
    name: Schema.String,
    /** Id of the workspace that has it; absent when that is a workspace of another project, out of the caller's reach. */
    workspace: optional(Schema.String)
  })
) {
  get code() {
    return "workspace_name_taken" as const
  }
  get fact() {
    return `the name "${this.name}" belongs to ${this.workspace ?? "a workspace of another project"}`
  }
  override get message() {
    return `${this.fact}; choose another, or delete that one: pyro workspace delete ${this.name}`
  }
}

const anyOf = (states: ReadonlyArray<string>) =>
  states.length < 2 ? states.join() : `${states.slice(0, -1).join(", ")} or ${states.at(-1)}`

/** The command to type next when a workspace is in a state. */
const nextCommand = (state: string) => {
  switch (state) {
    case "stopped":
    case "failed":
      return "pyro workspace start"
    case "creating":
    case "starting":
    case "stopping":
    case "resetting":
      return "see: pyro workspace status"
    default:
      return undefined
  }
}

/** The workspace exists, but not in a state in which this can be done. Nothing was done. */
export class WorkspaceNotReady extends Schema.TaggedError<WorkspaceNotReady>()(
  "WorkspaceNotReady",
  snakeFields({
    /** Its name, or its id where it has none. */
    workspace: Schema.String,
    /** What it is now, such as `stopped`, `failed` or `deleting`. */
    state: Schema.String,
    detail: Schema.String,
    /** Lasting states in which the operation is legal; absent when another state does not help. */
    legalStates: optional(Schema.Array(Schema.String))
  })
) {
  get code() {
    return "workspace_not_ready" as const
  }
  get fact() {
    const needs = this.legalStates === undefined ? "" : `; this operation needs it to be ${anyOf(this.legalStates)}`
    return `workspace ${this.workspace} is ${this.state}${needs}: ${this.detail}`
  }
  override get message() {
    const next = nextCommand(this.state)
    // A failed workspace whose record is damaged does not start.
    return next === undefined || (this.state === "failed" && this.legalStates === undefined)
      ? this.fact
      : `${this.fact} (${next} ${this.workspace})`
  }
}

/** A newer pyro wrote the record of a workspace, or of a snapshot. Nothing was changed. */
export class StateTooNew extends Schema.TaggedError<StateTooNew>()(
  "StateTooNew",
  snakeFields({
    /** Id of the workspace. */
    workspace: Schema.String,
    /** Name of the snapshot; absent when the workspace's own record is meant. */
    snapshot: optional(Schema.String),
    /** File that has the record. */
    path: Schema.String,
    /** Part of the record, such as `the record` itself or `the state of its "execs"`. */
    part: Schema.String,
    /** Format that the part has. */
    format: Schema.Int,
    /** Newest format that this pyro reads. 0: this pyro does not know the part. */
    newest: Schema.Int
  })
) {
  get code() {
    return "state_too_new" as const
  }
  get fact() {
    const whose = this.snapshot === undefined ? "" : `snapshot ${this.snapshot} of `
    return `a newer pyro wrote ${whose}workspace ${this.workspace}: ${this.part} in ${this.path} has format ${this.format}, and this ` +
      `pyro reads formats up to ${this.newest}`
  }
  override get message() {
    const names = this.snapshot === undefined ? this.workspace : `${this.workspace} ${this.snapshot}`
    const command = this.snapshot === undefined ? "pyro workspace delete" : "pyro workspace snapshot delete"
    return `${this.fact}; use the newer pyro, after pyro daemon stop, or delete this state: ${command} ${names}`
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
