import { Cause, Option } from "effect"
import { factOf, type PyroError } from "../contract/errors.ts"
import { printable } from "../contract/printable.ts"
import type { Project } from "../sdk/project.ts"
import { inToolWords, missingTools, namesUsersOption, type ToolContext } from "./tool-words.ts"

/** Maximum characters of an error: hosts cut longer texts at a place of their own. */
const MAX_CHARACTERS = 2_000

/** `workspace_start` is not in every profile. Without it, a model must not reset the workspace instead. */
const START = "call workspace_start or, without that tool, ask the user to start the workspace: the files are kept"

const gone = `call workspace_status; if the microVM is gone, ${START}. workspace_reset discards the files`

/** The next call to make, for every error. */
const hintOf = (error: PyroError, all: boolean): string => {
  switch (error._tag) {
    case "InvalidRequest":
      return "correct this argument and call again"
    case "EnvironmentUnknown":
      return `use one of ${error.known.join(", ")}`
    case "WorkspaceNotFound":
      return "call workspace_list for the ids, or workspace_create for a new workspace" +
        (all ? "" : "; workspaces of other projects are hidden")
    case "IdAmbiguous":
      return "call again with one of these ids"
    case "WorkspaceNameTaken":
      return error.workspace === undefined
        ? "choose another name"
        : `use that workspace (workspace_id ${error.workspace}), or another name`
    case "WorkspaceNotReady":
      if (error.state === "deleting") return "call workspace_list for the other workspaces"
      return error.state === "stopped" || error.state === "failed"
        ? `${START}. workspace_reset discards the files`
        : `call workspace_status until the workspace is ${
          (error.legalStates ?? ["running"]).join(" or ")
        }, then repeat the call`
    case "DiskDamaged":
      return "call workspace_reset: it returns to the seed, or to an earlier snapshot. Later changes are lost"
    case "SnapshotNotFound":
      return "call workspace_snapshot_list for the names"
    case "SnapshotExists":
      return "choose another name, or call workspace_snapshot_delete first"
    case "SnapshotMismatch":
      return "call again with disk_only: true to use the files only"
    case "ExecNotFound":
      return "run the command with workspace_exec and `command`"
    case "ShellNotFound":
      return "call shell_list for the ids, or shell_open for a new shell"
    case "ShellEnded":
      return "call shell_read for its last output, or shell_open for a new shell"
    case "ShellInputBlocked":
      return "call shell_read to see what the program does, then shell_write with keys [\"ctrl-c\"] to interrupt it"
    case "TooManyShells":
      return "call shell_list, then shell_close for those that are not needed"
    case "ServiceNotFound":
      return "call service_list for the names"
    case "ServiceRunning":
      return "call service_stop first, or choose another name"
    case "ServiceFailed":
      return "correct the command or the check, and call service_start again"
    case "FileRefused":
      return error.reason === "not_found"
        ? "call workspace_file_list for the existing files"
        : "nothing was changed; name another path, or use workspace_exec"
    case "FileChanged":
      return "call workspace_file_read again, then repeat the change"
    case "EditRejected":
      return "call workspace_file_read and copy the text exactly, with enough lines around it to be unique"
    case "PatchRejected":
      return "read the files with workspace_file_read and write a new patch"
    case "ExportRefused":
      return "nothing was written on the host; correct the named paths and call again"
    case "CommandNotFound":
    case "CommandNotExecutable":
    case "CommandNotStarted":
      if (error._tag === "CommandNotStarted" && error.step === "length") {
        return "write it with workspace_file_write and run that file, or pass it as stdin"
      }
      if (error._tag === "CommandNotStarted" && (error.step === "user" || error.step === "cwd")) {
        return "nothing ran; name another one, or omit the argument"
      }
      return "nothing ran, so another call is safe; if system files are broken, call workspace_reset"
    case "ChannelFailed":
      if (error.reason === "silent") {
        return "call workspace_reset, which discards the changes. To keep the files, call workspace_stop and workspace_start or, without those tools, ask the user to stop and start the workspace"
      }
      return gone
    case "GuestPanicked":
    case "VmFailed":
      return gone
    case "DaemonUnavailable":
      return "call again once; if that fails, ask the user to run: pyro daemon logs"
    case "NoSpace":
    case "AdmissionRefused":
      return error.fits === undefined || error.fits === 0
        ? "delete unneeded workspaces (workspace_list, workspace_delete), or ask for less"
        : `call again with count ${error.fits}, or delete unneeded workspaces (workspace_list, workspace_delete)`
    case "NetworkAboveCeiling":
      return "ask for less, or ask the user to raise the ceiling"
    case "PortInUse":
    case "PortUnavailable":
      return "call again with the guest port alone, for a free port of the host"
    case "PortAlreadyPublished":
      return "call port_unpublish first, or use that port"
    case "PortNotPublished":
      return "call workspace_status for the published ports"
    case "PublishingNotAllowed":
      return error.reason === "ceiling"
        ? "only the user can allow this"
        : "call workspace_network_set with network_policy egress+published-ports, then repeat the call"
    case "NetworkUnsupported":
      return "call again with network_policy off"
    case "NetworkDriverUnavailable":
      return "only the user can fix this: the workspace was created with another network driver than this host has"
    case "SeedRejected":
      return "name another seed_path, or none"
    case "StateTooNew":
      return "only the user can decide: use the newer pyro, or delete the state"
    case "HostFileUnusable":
    case "HostEntryDiffers":
    case "AgentKeyMissing":
      return "only the user can fix this"
    case "DaemonMismatch":
      return "only the user can fix this: pyro daemon stop"
    case "EnvironmentNameTaken":
      return "choose another name"
    case "EnvironmentBuildFailed":
    case "ImageDamaged":
    case "InvalidConfiguration":
    case "HostToolMissing":
    case "HostToolUnsuitable":
    case "StateDirectoryUnusable":
    case "ConfinementUnavailable":
      return "only the user can fix this on the host: pyro doctor"
  }
}

const cut = (text: string) => text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 12)} [… cut]`

const textOf = (code: string, message: string, hint: string) => `${code}: ${cut(printable(message))}\nhint: ${hint}`

/** Errors that may quote a guest, a host's file or a model. Their texts are not translated to tools. */
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

/** The tool that failed, and its project. */
export interface FailureContext extends ToolContext {
  readonly project?: Project
}

/** The text of a failed call: stable code, fact, and next call. */
export const errorText = (cause: Cause.Cause<PyroError>, tool: FailureContext = { args: [] }): string => {
  const failure = Cause.failureOption(cause)
  if (Option.isSome(failure)) {
    const error = failure.value
    const all = tool.project?.allWorkspaces ?? false
    const fact = factOf(error)
    const next = hintOf(error, all)
    const known = next + missingTools(next, tool)
    if (QUOTING.has(error._tag)) return textOf(error.code, fact, known)
    const hint = namesUsersOption(fact, tool)
      ? "this tool has no such argument; ask the user, who can use pyro's command line"
      : known
    return textOf(error.code, inToolWords(fact, tool), hint)
  }
  if (Cause.isInterruptedOnly(cause)) return textOf("interrupted", "the call was cancelled", "call again")
  const [first = ""] = Cause.pretty(cause).split("\n", 1)
  return textOf(
    "internal_error",
    `a defect of pyro itself: ${first}`,
    "tell the user; the server's log has the details"
  )
}
