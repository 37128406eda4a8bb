import { Schema } from "effect"
import { count } from "../text/count.ts"
import { optional } from "../text/fields.ts"
import { ContractError, didYouMean, start, UNDO } from "./contract-error.ts"

/** No workspace has the id or the name. */
export class WorkspaceNotFound extends ContractError<WorkspaceNotFound>()("WorkspaceNotFound", {
  workspace: Schema.String,
  /** Similar names and ids. */
  similar: Schema.Array(Schema.String),
  /** The outcome for the other workspaces of the request. Absent if there are none. */
  others: optional(Schema.String)
}, {
  fact: ({ others, similar, workspace }) =>
    `no workspace "${workspace}"${others === undefined ? "" : `. ${others}`}${didYouMean(similar)}`,
  next: "List workspaces: pyro list",
  steps: (_, all) => {
    const hidden = all ? "" : "; workspaces of other projects are hidden"
    return [
      `call workspace_list for the ids, or workspace_create for a new workspace${hidden}`,
      `call workspace_create for a new workspace${hidden}`
    ]
  }
}) {}

/** Several ids, or names of snapshots, have the given beginning. Nothing was done. */
export class IdAmbiguous extends ContractError<IdAmbiguous>()("IdAmbiguous", {
  /** Kind of the object. */
  what: Schema.Literals(["workspace", "command", "shell", "snapshot", "point"]),
  given: Schema.String,
  /** Ids or names with this beginning, at most ten. */
  candidates: Schema.Array(Schema.String)
}, {
  fact: ({ given, what, candidates }) =>
    `"${given}" is the beginning of several ${what}s: ${candidates.join(", ")}. Type more characters`,
  steps: "call again with one of these ids"
}) {}

/** Another workspace has the name. Nothing was done. */
export class WorkspaceNameTaken extends ContractError<WorkspaceNameTaken>()("WorkspaceNameTaken", {
  workspaceName: Schema.String,
  /** Id of the workspace that has the name; absent if it belongs to another project. */
  workspace: optional(Schema.String)
}, {
  fact: ({ workspace, workspaceName }) =>
    `the name "${workspaceName}" belongs to ${workspace ?? "a workspace of another project"}`,
  next: ({ workspaceName }) => `Choose another name, or rename that workspace: pyro rename ${workspaceName} NEW_NAME`,
  steps: ({ workspace }) =>
    workspace === undefined
      ? "choose another name"
      : `use that workspace (workspace_id ${workspace}), or another name`
}) {}

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
    case "paused":
      return legalStates.includes("running") ? "Resume it: pyro resume" : "Stop it, without its memory: pyro stop"
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
export class WorkspaceNotReady extends ContractError<WorkspaceNotReady>()("WorkspaceNotReady", {
  /** Its name, or its id if it has none. */
  workspace: Schema.String,
  /** Its state, such as `stopped`, `failed` or `deleting`. */
  state: Schema.String,
  detail: Schema.String,
  /** Lasting states in which the operation is legal; absent when another state does not help. */
  legalStates: optional(Schema.Array(Schema.String)),
  /** Id of the command that was cut off from its caller, and stays; absent for others. */
  execId: optional(Schema.String)
}, {
  fact: ({ execId, legalStates, workspace, state, detail }) => {
    const cut = execId === undefined ? "" : ` in the middle of the command ${execId}`
    const needs = legalStates === undefined ? "" : `; the operation needs state ${anyOf(legalStates)}`
    return `workspace ${workspace} is ${state}${cut}${needs}: ${detail}`
  },
  message: ({ execId, state, legalStates, fact, workspace }) => {
    if (execId !== undefined) return `${fact}. Follow it: pyro exec ${workspace} --exec-id ${execId}`
    const command = nextCommand(state, legalStates)
    // A failed workspace whose record is damaged does not start.
    return command === undefined || (state === "failed" && legalStates === undefined)
      ? fact
      : `${fact}. ${command} ${workspace}`
  },
  steps: ({ execId, state, legalStates }) => {
    if (execId !== undefined) return `call workspace_exec with exec_id ${execId}: the command continues`
    if (state === "deleting") return ["call workspace_list for the other workspaces", "use another workspace"]
    if (state === "stopped" || state === "failed") return start
    const until = `until the workspace is ${(legalStates ?? ["running"]).join(" or ")}`
    return [
      `call workspace_status ${until}, then repeat the call`,
      `call workspace_list ${until}, then repeat the call`
    ]
  }
}) {}

/** A newer pyro wrote the record of the workspace or the snapshot. Nothing was changed. */
export class StateTooNew extends ContractError<StateTooNew>()("StateTooNew", {
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
}, {
  fact: ({ snapshot, workspace, part, path, format, newest }) => {
    const whose = snapshot === undefined ? "" : `snapshot ${snapshot} of `
    return `a newer pyro wrote ${whose}workspace ${workspace}: ${part} in ${path} has format ${format}, and this ` +
      `pyro reads formats up to ${newest}`
  },
  next: ({ snapshot, workspace }) => {
    const names = snapshot === undefined ? workspace : `${workspace} ${snapshot}`
    const command = snapshot === undefined ? "pyro delete" : "pyro snapshot delete"
    return `Run pyro daemon stop and use the newer pyro, or delete this state: ${command} ${names}`
  },
  steps: "only the user can decide: use the newer pyro, or delete the state"
}) {}

/** A guest has damaged the disk of the workspace or the snapshot. Nothing was changed. */
export class DiskDamaged extends ContractError<DiskDamaged>()("DiskDamaged", {
  detail: Schema.String,
  /** Name of the workspace, or its id if it has none, for the hint. Absent without a workspace. */
  workspace: optional(Schema.String)
}, {
  fact: ({ detail }) => `the disk is damaged: ${detail}`,
  message: ({ fact, workspace }) =>
    workspace === undefined
      ? fact
      : `${fact}. Return to before the last command: pyro rewind ${workspace}. ` +
        `Or to the seed or an earlier snapshot: pyro reset ${workspace}`,
  steps: `${UNDO}. Later changes are lost`
}) {}

/** The workspace has no snapshot of that name. */
export class SnapshotNotFound extends ContractError<SnapshotNotFound>()("SnapshotNotFound", {
  workspace: Schema.String,
  snapshot: Schema.String,
  /** Similar names. */
  similar: Schema.Array(Schema.String)
}, {
  fact: ({ workspace, snapshot, similar }) =>
    `workspace ${workspace} has no snapshot "${snapshot}"${didYouMean(similar)}`,
  next: ({ snapshot, workspace }) =>
    `List snapshots: pyro snapshot list ${workspace}. A saved snapshot starts a workspace: pyro create --from-snapshot ${snapshot}`,
  steps: ["call workspace_snapshot_list for the names", "use a name that you gave to a snapshot, or omit it"]
}) {}

/** The workspace has no point before the command, or not the named one. Nothing was changed. */
export class PointNotFound extends ContractError<PointNotFound>()("PointNotFound", {
  workspace: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, workspace }) => `workspace ${workspace} cannot be rewound to there: ${detail}`,
  next: ({ workspace }) =>
    `See where it can go back to: pyro history ${workspace}. pyro reset ${workspace} goes back to its creation`,
  steps: [
    "go back to a later command, or by a smaller count",
    "call workspace_reset without `before`: it goes back to its creation"
  ]
}) {}

/** The workspace already has a snapshot of that name. Nothing was done. */
export class SnapshotExists extends ContractError<SnapshotExists>()("SnapshotExists", {
  workspace: Schema.String,
  snapshot: Schema.String
}, {
  fact: ({ workspace, snapshot }) => `workspace ${workspace} already has a snapshot "${snapshot}"`,
  next: ({ workspace }) => `Choose another name. List them: pyro snapshot list ${workspace}`,
  steps: "choose another name"
}) {}

/** The memory of the snapshot cannot be restored on this host. Nothing was changed. */
export class SnapshotMismatch extends ContractError<SnapshotMismatch>()("SnapshotMismatch", {
  /** Snapshot or workspace that the memory belongs to. */
  what: Schema.String,
  /** Differences to the host of the capture, one sentence each. */
  differences: Schema.Array(Schema.String),
  /** Name or id of the paused workspace whose memory it is. Absent for other memory. */
  paused: optional(Schema.String)
}, {
  fact: ({ what, differences, paused }) => {
    const whose = paused === undefined ? what : `${what} (${paused})`
    return `the memory of ${whose} cannot be restored on this host: ${differences.join("; ")}`
  },
  next: ({ paused }) =>
    paused === undefined
      ? "Use its files only, in a new microVM: --disk-only"
      : `Start it from its disk, without its processes: pyro start ${paused} --discard-memory`,
  steps: ({ paused }) =>
    paused === undefined
      ? "call again with disk_only: true to use the files only"
      : [
        "call workspace_stop, and then workspace_start: its processes are lost",
        "ask the user to start it from its disk"
      ]
}) {}

/** No saved snapshot of this host has the name. */
export class SavedNotFound extends ContractError<SavedNotFound>()("SavedNotFound", {
  saved: Schema.String,
  /** Similar names. */
  similar: Schema.Array(Schema.String)
}, {
  fact: ({ saved, similar }) => `there is no saved snapshot "${saved}"${didYouMean(similar)}`,
  next: "List them: pyro saved list",
  steps: "ask the user for the name of a saved snapshot"
}) {}

/** The name of a new saved snapshot is in use. */
export class SavedExists extends ContractError<SavedExists>()("SavedExists", { saved: Schema.String }, {
  fact: ({ saved }) => `there is a saved snapshot "${saved}" already`,
  next: ({ saved }) => `Choose another name, or delete it: pyro saved delete ${saved}`,
  steps: "choose another name"
}) {}

/** The record of a saved snapshot cannot be used. Nothing was changed. */
export class SavedDamaged extends ContractError<SavedDamaged>()("SavedDamaged", {
  saved: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, saved }) => `the saved snapshot "${saved}" cannot be used: ${detail}`,
  next: ({ saved }) => `Use the pyro that saved it, or delete it: pyro saved delete ${saved}`,
  steps: "ask the user: use the pyro that saved it, or delete it"
}) {}

/** The workspace has no command of that id. */
export class ExecNotFound extends ContractError<ExecNotFound>()("ExecNotFound", {
  workspace: Schema.String,
  execId: Schema.String
}, {
  fact: ({ workspace, execId }) => `workspace ${workspace} has no command ${execId}. The command never started there`,
  next: ({ workspace }) => `List commands: pyro logs ${workspace}`,
  steps: "run the command with workspace_exec and `command`"
}) {}

/** The command reads no input, so its stdin took a part of it. */
export class StdinBlocked extends ContractError<StdinBlocked>()("StdinBlocked", {
  workspace: Schema.String,
  execId: Schema.String,
  /** Bytes that the guest took. */
  writtenBytes: Schema.Int,
  /** Bytes of the whole input. */
  inputBytes: Schema.Int
}, {
  fact: ({ execId, inputBytes, workspace, writtenBytes }) =>
    `command ${execId} of workspace ${workspace} reads no input: its stdin took ${writtenBytes} of ${
      count(inputBytes, "byte")
    }`,
  next: ({ execId, workspace }) => `Write the rest later, or end the command: pyro cancel ${workspace} ${execId}`,
  steps: "write the rest later, or end the command with workspace_cancel"
}) {}

export const workspaceErrors = [
  WorkspaceNotFound,
  IdAmbiguous,
  WorkspaceNameTaken,
  WorkspaceNotReady,
  StateTooNew,
  DiskDamaged,
  SnapshotNotFound,
  PointNotFound,
  SnapshotExists,
  SnapshotMismatch,
  SavedNotFound,
  SavedExists,
  SavedDamaged,
  ExecNotFound,
  StdinBlocked
] as const
