import type { PyroError } from "../contract/errors/errors.ts"
import { hasToolsOf, type ToolContext } from "./tool-words.ts"

/** What a model does next, in order of preference: sentences, each with the tools that it needs. */
type Ways = string | ReadonlyArray<string>

/** For a server that has no tool for the next step. */
const ASK = "ask the user"

/** Without this tool, a model must not reset the workspace instead. */
const start: Ways = [
  "call workspace_start: the files are kept. workspace_reset discards the files",
  "ask the user to start the workspace: the files are kept. workspace_reset discards the files",
  "ask the user to start the workspace: the files are kept"
]

const gone: Ways = [
  "call workspace_status; if the microVM is gone, call workspace_start: the files are kept. workspace_reset discards the files",
  "call workspace_status; if the microVM is gone, ask the user to start the workspace: the files are kept. workspace_reset discards the files",
  ...start.slice(1)
]

/** The ways of every error. */
const waysOf = (error: PyroError, all: boolean): Ways => {
  switch (error._tag) {
    case "InvalidRequest":
      return "correct this argument and call again"
    case "EnvironmentUnknown":
      return `use one of ${error.known.join(", ")}`
    case "WorkspaceNotFound": {
      const hidden = all ? "" : "; workspaces of other projects are hidden"
      return [
        `call workspace_list for the ids, or workspace_create for a new workspace${hidden}`,
        `call workspace_create for a new workspace${hidden}`
      ]
    }
    case "IdAmbiguous":
      return "call again with one of these ids"
    case "WorkspaceNameTaken":
      return error.workspace === undefined
        ? "choose another name"
        : `use that workspace (workspace_id ${error.workspace}), or another name`
    case "WorkspaceNotReady": {
      if (error.state === "deleting") return ["call workspace_list for the other workspaces", "use another workspace"]
      if (error.state === "stopped" || error.state === "failed") return start
      const until = `until the workspace is ${(error.legalStates ?? ["running"]).join(" or ")}`
      return [
        `call workspace_status ${until}, then repeat the call`,
        `call workspace_list ${until}, then repeat the call`
      ]
    }
    case "DiskDamaged":
      return "call workspace_reset: it returns to the seed, or to an earlier snapshot. Later changes are lost"
    case "SnapshotNotFound":
      return ["call workspace_snapshot_list for the names", "use a name that you gave to a snapshot, or omit it"]
    case "SnapshotExists":
      return "choose another name"
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
      return ["call service_list for the names", "use the name that you gave to service_start"]
    case "ServiceRunning":
      return [
        "use the running service, or choose another name. service_stop ends the running service",
        "use the running service, or choose another name"
      ]
    case "ServiceFailed":
      return "correct the command or the check, and call service_start again"
    case "FileRefused":
      return error.reason === "not_found"
        ? ["call workspace_file_list for the existing files", "name another path"]
        : ["nothing was changed; name another path, or use workspace_exec", "nothing was changed; name another path"]
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
        return ["write it with workspace_file_write and run that file, or pass it as stdin", "split the command"]
      }
      if (error._tag === "CommandNotStarted" && (error.step === "user" || error.step === "cwd")) {
        return "nothing ran; name another one, or omit the argument"
      }
      return [
        "nothing ran, so another call is safe; if system files are broken, call workspace_reset, which discards all changes",
        "nothing ran, so another call is safe"
      ]
    case "ChannelFailed": {
      if (error.reason !== "silent") return gone
      return [
        "call workspace_stop and workspace_start: the files are kept. workspace_reset discards the changes",
        "ask the user to stop and start the workspace: the files are kept. workspace_reset discards the changes",
        "ask the user to stop and start the workspace: the files are kept"
      ]
    }
    case "GuestPanicked":
    case "VmFailed":
      return gone
    case "DaemonUnavailable":
      return "call again once; if that fails, ask the user to run: pyro daemon logs"
    case "NoSpace":
    case "AdmissionRefused": {
      const less = error.fits === undefined || error.fits === 0 ? "ask for less" : `call again with count ${error.fits}`
      return [
        `${less}, or delete unneeded workspaces (workspace_list, workspace_delete)`,
        `${less}, or ask the user to make room`
      ]
    }
    case "NetworkAboveCeiling":
      return "ask for less, or ask the user to raise the ceiling"
    case "PortInUse":
    case "PortUnavailable":
      return "call again with the guest port alone, for a free port of the host"
    case "PortAlreadyPublished":
      return ["use that port. port_unpublish ends it", "use that port"]
    case "PortNotPublished":
      return ["call workspace_status for the published ports", "name another port"]
    case "PublishingNotAllowed":
      return error.reason === "ceiling"
        ? "only the user can allow this"
        : [
          "call workspace_network_set with network_policy egress+published-ports and the present allow_hosts (workspace_status), then repeat the call",
          "only the user can allow this"
        ]
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
      return "correct the names of packages, or call again once"
    case "ImageDamaged":
      return "only the user can fix this, and pyro then builds the image again: pyro env rm"
    case "InvalidConfiguration":
    case "HostToolMissing":
    case "HostToolUnsuitable":
    case "StateDirectoryUnusable":
    case "ConfinementUnavailable":
      return "only the user can fix this, on the host"
  }
}

/** The next call to make, with tools of the server only. `all` says that the server reaches the workspaces of every project. */
export const hintOf = (error: PyroError, tool: ToolContext, all: boolean): string => {
  const ways = waysOf(error, all)
  return (typeof ways === "string" ? [ways] : ways).find((one) => hasToolsOf(one, tool)) ?? ASK
}
