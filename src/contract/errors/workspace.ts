import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { ContractError, start, type ToolSteps } from "./contract-error.ts"

const named = (names: ReadonlyArray<string>) => names.length === 0 ? "" : `. Did you mean ${names.join(" or ")}?`

/** Separates a fact from the next command: a fact that ends with a question needs no full stop. */
const next = (similar: ReadonlyArray<string>) => similar.length === 0 ? ". " : " "

export class WorkspaceNotFound extends ContractError<WorkspaceNotFound>()(
  "WorkspaceNotFound",
  {
    workspace: Schema.String,
    /** Similar names and ids. */
    similar: Schema.Array(Schema.String),
    /** What became of the other workspaces of the request. Absent if there are none. */
    others: optional(Schema.String)
  }
) {
  get fact() {
    const { others } = this
    return `no workspace "${this.workspace}"${others === undefined ? "" : `. ${others}`}${named(this.similar)}`
  }
  override get message() {
    return `${this.fact}${next(this.similar)}List workspaces: pyro list`
  }
  toolSteps(all: boolean): ToolSteps {
    const hidden = all ? "" : "; workspaces of other projects are hidden"
    return [
      `call workspace_list for the ids, or workspace_create for a new workspace${hidden}`,
      `call workspace_create for a new workspace${hidden}`
    ]
  }
}

/** Several ids, or names of snapshots, have the given beginning. Nothing was done. */
export class IdAmbiguous extends ContractError<IdAmbiguous>()(
  "IdAmbiguous",
  {
    /** Kind of the object. */
    what: Schema.Literals(["workspace", "command", "shell", "snapshot"]),
    given: Schema.String,
    /** Ids or names with this beginning, at most ten. */
    candidates: Schema.Array(Schema.String)
  }
) {
  override get message() {
    return `"${this.given}" is the beginning of several ${this.what}s: ${
      this.candidates.join(", ")
    }. Type more characters`
  }
  toolSteps(): ToolSteps {
    return "call again with one of these ids"
  }
}

export class WorkspaceNameTaken extends ContractError<WorkspaceNameTaken>()(
  "WorkspaceNameTaken",
  {
    name: Schema.String,
    /** Id of the workspace that has the name; absent if it belongs to another project. */
    workspace: optional(Schema.String)
  }
) {
  get fact() {
    return `the name "${this.name}" belongs to ${this.workspace ?? "a workspace of another project"}`
  }
  override get message() {
    return `${this.fact}. Choose another name, or rename that workspace: pyro rename ${this.name} NAME`
  }
  toolSteps(): ToolSteps {
    return this.workspace === undefined
      ? "choose another name"
      : `use that workspace (workspace_id ${this.workspace}), or another name`
  }
}

const anyOf = (states: ReadonlyArray<string>) =>
  states.length < 2 ? states.join() : `${states.slice(0, -1).join(", ")} or ${states.at(-1)}`

/** The command to type next when a workspace is in a state. */
const nextCommand = (state: string, legalStates: ReadonlyArray<string> = ["running"]) => {
  switch (state) {
    case "running":
      return legalStates.includes("running") ? undefined : "Stop it: pyro stop"
    case "stopped":
    case "failed":
      return "Start it: pyro start"
    case "creating":
    case "starting":
    case "stopping":
    case "resetting":
      return "Show its state: pyro status"
    default:
      return undefined
  }
}

/** The state of the workspace does not allow the operation. Nothing was done. */
export class WorkspaceNotReady extends ContractError<WorkspaceNotReady>()(
  "WorkspaceNotReady",
  {
    /** Its name, or its id if it has none. */
    workspace: Schema.String,
    /** Its state, such as `stopped`, `failed` or `deleting`. */
    state: Schema.String,
    detail: Schema.String,
    /** Lasting states in which the operation is legal; absent when another state does not help. */
    legalStates: optional(Schema.Array(Schema.String))
  }
) {
  get fact() {
    const needs = this.legalStates === undefined ? "" : `; the operation needs state ${anyOf(this.legalStates)}`
    return `workspace ${this.workspace} is ${this.state}${needs}: ${this.detail}`
  }
  override get message() {
    const command = nextCommand(this.state, this.legalStates)
    // A failed workspace whose record is damaged does not start.
    return command === undefined || (this.state === "failed" && this.legalStates === undefined)
      ? this.fact
      : `${this.fact}. ${command} ${this.workspace}`
  }
  toolSteps(): ToolSteps {
    if (this.state === "deleting") return ["call workspace_list for the other workspaces", "use another workspace"]
    if (this.state === "stopped" || this.state === "failed") return start
    const until = `until the workspace is ${(this.legalStates ?? ["running"]).join(" or ")}`
    return [
      `call workspace_status ${until}, then repeat the call`,
      `call workspace_list ${until}, then repeat the call`
    ]
  }
}

/** A newer pyro wrote the record of the workspace or the snapshot. Nothing was changed. */
export class StateTooNew extends ContractError<StateTooNew>()(
  "StateTooNew",
  {
    /** Id of the workspace. */
    workspace: Schema.String,
    /** Name of the snapshot; absent for the workspace's own record. */
    snapshot: optional(Schema.String),
    /** File of the record. */
    path: Schema.String,
    /** Part of the record, such as `the record` itself or `the state of its "execs"`. */
    part: Schema.String,
    /** Format of the part. */
    format: Schema.Int,
    /** Newest format that this pyro reads. 0: this pyro does not know the part. */
    newest: Schema.Int
  }
) {
  get fact() {
    const whose = this.snapshot === undefined ? "" : `snapshot ${this.snapshot} of `
    return `a newer pyro wrote ${whose}workspace ${this.workspace}: ${this.part} in ${this.path} has format ${this.format}, and this ` +
      `pyro reads formats up to ${this.newest}`
  }
  override get message() {
    const names = this.snapshot === undefined ? this.workspace : `${this.workspace} ${this.snapshot}`
    const command = this.snapshot === undefined ? "pyro delete" : "pyro snapshot delete"
    return `${this.fact}. Run pyro daemon stop and use the newer pyro, or delete this state: ${command} ${names}`
  }
  toolSteps(): ToolSteps {
    return "only the user can decide: use the newer pyro, or delete the state"
  }
}

/** A guest has damaged the disk of the workspace or the snapshot. Nothing was changed. */
export class DiskDamaged extends ContractError<DiskDamaged>()("DiskDamaged", { detail: Schema.String }) {
  get fact() {
    return `the disk is damaged: ${this.detail}`
  }
  override get message() {
    return `${this.fact}. Return to the seed, or to an earlier snapshot: pyro reset`
  }
  toolSteps(): ToolSteps {
    return "call workspace_reset: it returns to the seed, or to an earlier snapshot. Later changes are lost"
  }
}

export class SnapshotNotFound extends ContractError<SnapshotNotFound>()(
  "SnapshotNotFound",
  {
    workspace: Schema.String,
    snapshot: Schema.String,
    /** Similar names. */
    similar: Schema.Array(Schema.String)
  }
) {
  get fact() {
    return `workspace ${this.workspace} has no snapshot "${this.snapshot}"${named(this.similar)}`
  }
  override get message() {
    return `${this.fact}${next(this.similar)}List snapshots: pyro snapshot list ${this.workspace}`
  }
  toolSteps(): ToolSteps {
    return ["call workspace_snapshot_list for the names", "use a name that you gave to a snapshot, or omit it"]
  }
}

export class SnapshotExists extends ContractError<SnapshotExists>()(
  "SnapshotExists",
  {
    workspace: Schema.String,
    snapshot: Schema.String
  }
) {
  get fact() {
    return `workspace ${this.workspace} already has a snapshot "${this.snapshot}"`
  }
  override get message() {
    return `${this.fact}. Choose another name. List them: pyro snapshot list ${this.workspace}`
  }
  toolSteps(): ToolSteps {
    return "choose another name"
  }
}

/** The memory of the snapshot cannot be restored on this host. Nothing was changed. */
export class SnapshotMismatch extends ContractError<SnapshotMismatch>()(
  "SnapshotMismatch",
  {
    /** Snapshot or workspace that the memory belongs to. */
    what: Schema.String,
    /** Differences to the host of the capture, one sentence each. */
    differences: Schema.Array(Schema.String)
  }
) {
  get fact() {
    return `the memory of ${this.what} cannot be restored on this host: ${this.differences.join("; ")}`
  }
  override get message() {
    return `${this.fact}. Use its files only, in a new microVM: --disk-only`
  }
  toolSteps(): ToolSteps {
    return "call again with disk_only: true to use the files only"
  }
}

export class ExecNotFound extends ContractError<ExecNotFound>()(
  "ExecNotFound",
  {
    workspace: Schema.String,
    execId: Schema.String
  }
) {
  get fact() {
    return `workspace ${this.workspace} has no command ${this.execId}. The command never started there`
  }
  override get message() {
    return `${this.fact}. List commands: pyro logs ${this.workspace}`
  }
  toolSteps(): ToolSteps {
    return "run the command with workspace_exec and `command`"
  }
}
