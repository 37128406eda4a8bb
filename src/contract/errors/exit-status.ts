import type { PyroError } from "./errors.ts"

/** Whose exit status a process hands on: the guest command's (`run`, `exec`) or only pyro's own. */
export type ExitFamily = "guest" | "own"

/** Status of a wrong command line, everywhere. */
const USAGE = 2
/** Status of a command that ran past its timeout, as with timeout(1). */
export const TIMED_OUT = 124
/** Status of `exec --wait-seconds` whose time is over while the command runs: "try again later" in sysexits.h, and hardly a program's own. */
export const STILL_RUNNING = 75
/** Status of a command that the guest's OOM killer ended: 128 + SIGKILL. */
export const OUT_OF_MEMORY = 137

/** The status where only pyro failed: a guest's own status must stay recognisable, so 125 as with env(1) and docker. */
export const ownFailure = (family: ExitFamily): number => family === "guest" ? 125 : 1

/** The status to leave with after `error`; exhaustive over the family. */
export const exitStatus = (error: PyroError, family: ExitFamily): number => {
  switch (error._tag) {
    case "InvalidRequest":
      return USAGE
    case "CommandNotFound":
      return 127
    case "CommandNotExecutable":
      return 126
    case "CommandNotStarted":
      return 125
    case "EnvironmentUnknown":
    case "EnvironmentBuildFailed":
    case "ImageDamaged":
    case "HostToolMissing":
    case "HostToolUnsuitable":
    case "VmFailed":
    case "GuestPanicked":
    case "ChannelFailed":
    case "NoSpace":
    case "AdmissionRefused":
    case "StateDirectoryUnusable":
    case "InvalidConfiguration":
    case "StateTooNew":
    case "SeedRejected":
    case "ConfinementUnavailable":
    case "WorkspaceNotFound":
    case "IdAmbiguous":
    case "EnvironmentNameTaken":
    case "WorkspaceNameTaken":
    case "WorkspaceNotReady":
    case "DiskDamaged":
    case "SnapshotNotFound":
    case "SnapshotExists":
    case "SnapshotMismatch":
    case "ExecNotFound":
    case "ShellNotFound":
    case "ShellEnded":
    case "ShellInputBlocked":
    case "TooManyShells":
    case "ServiceNotFound":
    case "ServiceRunning":
    case "ServiceFailed":
    case "FileRefused":
    case "FileChanged":
    case "EditRejected":
    case "PatchRejected":
    case "ExportRefused":
    case "NetworkUnsupported":
    case "NetworkDriverUnavailable":
    case "NetworkAboveCeiling":
    case "PortInUse":
    case "PortUnavailable":
    case "PortAlreadyPublished":
    case "PortNotPublished":
    case "PublishingNotAllowed":
    case "DaemonUnavailable":
    case "DaemonMismatch":
    case "MessageUnreadable":
    case "HostFileUnusable":
    case "HostEntryDiffers":
    case "AgentKeyMissing":
      return ownFailure(family)
  }
}
