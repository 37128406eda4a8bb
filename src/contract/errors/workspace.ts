import { Schema } from "effect"
import { count } from "../text/count.ts"
import { optional } from "../text/fields.ts"
import { didYouMean } from "../text/similar.ts"
import { ContractError, undo } from "./contract-error.ts"
import { call, type NextStep, option, words } from "./next-step.ts"

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
  next: [call("List workspaces", "workspace.list")]
}) {}

/** Several ids, or names of snapshots, have the given beginning. Nothing was done. */
export class IdAmbiguous extends ContractError<IdAmbiguous>()("IdAmbiguous", {
  /** Kind of the object. */
  what: Schema.Literals(["workspace", "command", "shell", "snapshot", "point"]),
  given: Schema.String,
  /** Ids or names with this beginning, at most ten. */
  candidates: Schema.Array(Schema.String)
}, {
  fact: ({ given, what, candidates }) => `"${given}" is the beginning of several ${what}s: ${candidates.join(", ")}`,
  next: [words("Type more characters")]
}) {}

/** Another workspace has the name. Nothing was done. */
export class WorkspaceNameTaken extends ContractError<WorkspaceNameTaken>()("WorkspaceNameTaken", {
  workspaceName: Schema.String,
  /** Id of the workspace that has the name; absent if it belongs to another project. */
  workspace: optional(Schema.String)
}, {
  fact: ({ workspace, workspaceName }) =>
    `the name "${workspaceName}" belongs to ${workspace ?? "a workspace of another project"}`,
  next: ({ workspaceName }) => [
    words("Choose another name"),
    call("Or rename that workspace", "workspace.rename", { workspace: workspaceName }, "name")
  ]
}) {}

const anyOf = (states: ReadonlyArray<string>) =>
  states.length < 2 ? states.join() : `${states.slice(0, -1).join(", ")} or ${states.at(-1)}`

/** What brings a workspace from a state to one of the legal ones. */
const fromState = (
  workspace: string,
  state: string,
  legalStates: ReadonlyArray<string> = ["running"]
): ReadonlyArray<NextStep> => {
  switch (state) {
    case "running":
      return legalStates.includes("running") ? [] : [call("Stop it", "workspace.stop", { workspace })]
    case "stopped":
    case "failed":
      return [call("Start it", "workspace.start", { workspace })]
    case "paused":
      return legalStates.includes("running")
        ? [call("Resume it", "workspace.resume", { workspace })]
        : [call("Stop it, without its memory", "workspace.stop", { workspace })]
    case "creating":
    case "starting":
    case "stopping":
    case "resetting":
      return [call(`Wait until it is ${anyOf(legalStates)}`, "workspace.status", { workspace })]
    default:
      return []
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
  next: ({ execId, state, legalStates, workspace }) => {
    if (execId !== undefined) return [call("Follow it", "workspace.exec", { workspace, exec_id: execId })]
    // A failed workspace whose record is damaged does not start.
    return state === "failed" && legalStates === undefined ? [] : fromState(workspace, state, legalStates)
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
  next: ({ snapshot, workspace }) => [
    call("Replace the daemon, and use the newer pyro", "daemon.stop"),
    snapshot === undefined
      ? call("Or delete this state", "workspace.delete", { workspaces: [workspace] })
      : call("Or delete this state", "workspace.snapshot.delete", { workspace, name: snapshot })
  ]
}) {}

/** A guest has damaged the disk of the workspace or the snapshot. Nothing was changed. */
export class DiskDamaged extends ContractError<DiskDamaged>()("DiskDamaged", {
  detail: Schema.String
}, {
  fact: ({ detail }) => `the disk is damaged: ${detail}`,
  next: [
    undo("Return to before the last command"),
    call("Or to the seed or an earlier snapshot", "workspace.reset")
  ]
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
  next: ({ snapshot, workspace }) => [
    call("List snapshots", "workspace.snapshot.list", { workspace }),
    call("A saved snapshot starts a workspace", "workspace.create", { from_snapshot: snapshot })
  ]
}) {}

/** The workspace has no point before the command, or not the named one. Nothing was changed. */
export class PointNotFound extends ContractError<PointNotFound>()("PointNotFound", {
  workspace: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, workspace }) => `workspace ${workspace} cannot be rewound to there: ${detail}`,
  next: ({ workspace }) => [
    call("See where it can go back to", "workspace.history", { workspace }),
    call("Go back to its creation", "workspace.reset", { workspace })
  ]
}) {}

/** The workspace already has a snapshot of that name. Nothing was done. */
export class SnapshotExists extends ContractError<SnapshotExists>()("SnapshotExists", {
  workspace: Schema.String,
  snapshot: Schema.String
}, {
  fact: ({ workspace, snapshot }) => `workspace ${workspace} already has a snapshot "${snapshot}"`,
  next: ({ workspace }) => [
    words("Choose another name"),
    call("List them", "workspace.snapshot.list", { workspace })
  ]
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
  next: ({ paused }) => [
    paused === undefined
      ? option("Use its files only, in a new microVM", "disk_only", true)
      : call("Start it from its disk, without its processes", "workspace.start", {
        workspace: paused,
        discard_memory: true
      })
  ]
}) {}

/** No saved snapshot of this host has the name. */
export class SavedNotFound extends ContractError<SavedNotFound>()("SavedNotFound", {
  saved: Schema.String,
  /** Similar names. */
  similar: Schema.Array(Schema.String)
}, {
  fact: ({ saved, similar }) => `there is no saved snapshot "${saved}"${didYouMean(similar)}`,
  next: [call("List them", "saved.list")]
}) {}

/** The name of a new saved snapshot is in use. */
export class SavedExists extends ContractError<SavedExists>()("SavedExists", { saved: Schema.String }, {
  fact: ({ saved }) => `there is a saved snapshot "${saved}" already`,
  next: ({ saved }) => [
    words("Choose another name"),
    call("Or delete that one", "saved.delete", { names: [saved] })
  ]
}) {}

/** The record of a saved snapshot cannot be used. Nothing was changed. */
export class SavedDamaged extends ContractError<SavedDamaged>()("SavedDamaged", {
  saved: Schema.String,
  detail: Schema.String
}, {
  fact: ({ detail, saved }) => `the saved snapshot "${saved}" cannot be used: ${detail}`,
  next: ({ saved }) => [
    words("Use the pyro that saved it"),
    call("Or delete it", "saved.delete", { names: [saved] })
  ]
}) {}

/** The workspace has no command of that id. */
export class ExecNotFound extends ContractError<ExecNotFound>()("ExecNotFound", {
  workspace: Schema.String,
  execId: Schema.String
}, {
  fact: ({ workspace, execId }) => `workspace ${workspace} has no command ${execId}. The command never started there`,
  next: ({ workspace }) => [call("List commands", "workspace.logs", { workspace })]
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
  next: ({ execId, workspace }) => [
    words("Write the rest later"),
    call("Or end the command", "workspace.cancel", { workspace, exec_id: execId })
  ]
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
