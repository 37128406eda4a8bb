import { Cause, Option } from "effect"
import { factOf, type PyroError } from "../contract/errors.ts"
import { printable } from "../contract/printable.ts"
import type { Project } from "../sdk/project.ts"
import { inToolWords, namesUsersOption, type ToolCalled } from "./tool-words.ts"

/** Longest text of an error: hosts cut longer ones where it hurts. */
const MAX_CHARACTERS = 2_000

/** Not every profile has the tool; and a reset must not be what is left to try. */
const START = "call workspace_start or, without that tool, ask the user to start it: its files are kept"

const gone = `call workspace_status; where its microVM is gone, ${START}, and workspace_reset would discard them`

/** The one next call to make. Exhaustive over the family. */
const hintOf = (error: PyroError, all: boolean): string => {
  switch (error._tag) {
    case "InvalidRequest":
      return "correct this argument and call again"
    case "EnvironmentUnknown":
      return `use one of ${error.known.join(", ")}`
    case "WorkspaceNotFound":
      return "call workspace_list for the ids there are, or workspace_create for a new one" +
        (all ? "" : "; workspaces of other projects are hidden")
    case "IdAmbiguous":
      return "call again with one of these in full"
    case "WorkspaceNameTaken":
      return error.workspace === undefined
        ? "choose another name"
        : `use that workspace (workspace_id ${error.workspace}), or another name`
    case "WorkspaceNotReady":
      if (error.state === "deleting") return "call workspace_list for the workspaces that stay"
      return error.state === "stopped" || error.state === "failed"
        ? `${START}; workspace_reset would discard them`
        : `call workspace_status until it is ${(error.legalStates ?? ["running"]).join(" or ")}, then again`
    case "DiskDamaged":
      return "call workspace_reset: it goes back to the seed, or to an earlier snapshot; what was changed since is lost"
    case "SnapshotNotFound":
      return "call workspace_snapshot_list for the snapshots there are"
    case "SnapshotExists":
      return "choose another name, or call workspace_snapshot_delete first"
    case "SnapshotMismatch":
      return "call again with disk_only: its files can still be had"
    case "ExecNotFound":
      return "run the command with workspace_exec and `command`"
    case "FileRefused":
      return error.reason === "not_found"
        ? "call workspace_file_list to see what is there"
        : "nothing was changed; name another path, or do it with workspace_exec"
    case "FileChanged":
      return "call workspace_file_read again and decide anew"
    case "EditRejected":
      return "call workspace_file_read and copy the text exactly as it stands, with as many lines around it as make it the only such place"
    case "PatchRejected":
      return "read the files with workspace_file_read and make the patch anew"
    case "ExportRefused":
      return "nothing was written on the host; correct what it names and call again"
    case "CommandNotFound":
    case "CommandNotExecutable":
    case "CommandNotStarted":
      if (error._tag === "CommandNotStarted" && error.step === "length") {
        return "write it with workspace_file_write and run that file, or give it as stdin"
      }
      if (error._tag === "CommandNotStarted" && (error.step === "user" || error.step === "cwd")) {
        return "nothing ran; name another one, or leave the argument out"
      }
      return "nothing ran, so calling again is safe; when the root is broken, workspace_reset"
    case "ChannelFailed":
      if (error.reason === "silent") {
        return "call workspace_reset, which discards the changes; to keep the files, call workspace_stop and workspace_start or, without those tools, ask the user to stop and start it"
      }
      return gone
    case "GuestPanicked":
    case "VmFailed":
      return gone
    case "DaemonUnavailable":
      return "call again once; then ask the user to look at: pyro daemon logs"
    case "NoSpace":
    case "AdmissionRefused":
      return error.fits === undefined || error.fits === 0
        ? "delete workspaces that are not needed (workspace_list, workspace_delete), or ask for less"
        : `call again with count ${error.fits}, or delete workspaces that are not needed (workspace_list, workspace_delete)`
    case "SeedRejected":
      return "name another seed_path, or none"
    case "StateTooNew":
      return "only the user can decide this: use the newer pyro, or delete the state"
    case "DaemonMismatch":
      return "only the user can mend this: pyro daemon stop"
    case "EnvironmentNameTaken":
      return "choose another name"
    case "EnvironmentBuildFailed":
    case "ImageDamaged":
    case "InvalidConfiguration":
    case "HostToolMissing":
    case "HostToolUnsuitable":
    case "StateDirectoryUnusable":
    case "ConfinementUnavailable":
      return "only the user can mend this on the host: pyro doctor"
  }
}

const cut = (text: string) => text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 12)} [… cut]`

const told = (code: string, message: string, hint: string) => `${code}: ${cut(printable(message))}\nhint: ${hint}`

/** Errors that may quote what a guest, a host's file or a model wrote: their words are left as they are. */
const QUOTING: ReadonlySet<PyroError["_tag"]> = new Set([
  "CommandNotExecutable",
  "CommandNotFound",
  "EditRejected",
  "FileChanged",
  "FileRefused",
  "GuestPanicked",
  "PatchRejected",
  "VmFailed"
])

/** What a tool is to the text of its failure. */
export interface ToolFailed extends ToolCalled {
  readonly project?: Project
}

/** A failure of a tool, complete in one text: its stable code, what happened, and what to do next. */
export const errorText = (cause: Cause.Cause<PyroError>, tool: ToolFailed = { args: [] }): string => {
  const failure = Cause.failureOption(cause)
  if (Option.isSome(failure)) {
    const error = failure.value
    const all = tool.project?.allWorkspaces ?? false
    const fact = factOf(error)
    if (QUOTING.has(error._tag)) return told(error.code, fact, hintOf(error, all))
    const hint = namesUsersOption(fact, tool)
      ? "this tool has no such argument; ask the user, who can do it on pyro's command line"
      : hintOf(error, all)
    return told(error.code, inToolWords(fact, tool), hint)
  }
  if (Cause.isInterruptedOnly(cause)) return told("interrupted", "the call was ended before it was done", "call again")
  const [first = ""] = Cause.pretty(cause).split("\n", 1)
  return told("internal_error", `a defect of pyro itself: ${first}`, "tell the user; the server's log has the whole")
}
