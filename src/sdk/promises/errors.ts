// Generated from src/contract/errors by: node scripts/docs.mjs
import * as contract from "../../contract/errors/errors.ts"
import { type ErrorClass, type PyroError, asErrorClass } from "./error-class.ts"

/** The code of an error of pyro. */
export type ErrorCode =
  | "admission_refused"
  | "agent_key_missing"
  | "channel_failed"
  | "command_not_executable"
  | "command_not_found"
  | "command_not_started"
  | "confinement_unavailable"
  | "context_unknown"
  | "context_unreachable"
  | "daemon_mismatch"
  | "daemon_unavailable"
  | "dev_container_command_failed"
  | "dev_container_refused"
  | "disk_damaged"
  | "driver_unavailable"
  | "edit_rejected"
  | "environment_build_failed"
  | "environment_name_taken"
  | "environment_unknown"
  | "exec_not_found"
  | "export_refused"
  | "file_changed"
  | "file_refused"
  | "guest_panicked"
  | "guest_silent"
  | "host_entry_differs"
  | "host_file_unusable"
  | "host_tool_missing"
  | "host_tool_unsuitable"
  | "id_ambiguous"
  | "image_damaged"
  | "image_pull_failed"
  | "invalid_configuration"
  | "invalid_request"
  | "message_unreadable"
  | "network_above_ceiling"
  | "network_unsupported"
  | "no_micro_vms"
  | "no_space"
  | "not_permitted"
  | "page_unavailable"
  | "patch_rejected"
  | "point_not_found"
  | "port_already_published"
  | "port_in_use"
  | "port_not_published"
  | "port_unavailable"
  | "project_file_invalid"
  | "project_file_missing"
  | "project_not_accepted"
  | "project_secret_missing"
  | "project_setup_failed"
  | "publishing_not_allowed"
  | "quota_exceeded"
  | "registry_not_allowed"
  | "saved_damaged"
  | "saved_exists"
  | "saved_not_found"
  | "seed_rejected"
  | "service_failed"
  | "service_not_found"
  | "service_running"
  | "shell_ended"
  | "shell_input_blocked"
  | "shell_not_found"
  | "snapshot_exists"
  | "snapshot_mismatch"
  | "snapshot_not_found"
  | "state_directory_unusable"
  | "state_too_new"
  | "stdin_blocked"
  | "too_many_shells"
  | "unknown_failure"
  | "vm_failed"
  | "workspace_name_taken"
  | "workspace_not_found"
  | "workspace_not_ready"

/** The request is invalid. Another attempt fails as well. */
export interface InvalidRequest extends PyroError {
  readonly _tag: "InvalidRequest"
  readonly code: "invalid_request"
  /** JSON name of the field; empty for the whole request. */
  readonly field: string
  readonly detail: string
}
export const InvalidRequest: ErrorClass<InvalidRequest> = asErrorClass(contract.InvalidRequest)

/** The guest's path does not allow the operation; `reason` says why. Nothing was changed. */
export interface FileRefused extends PyroError {
  readonly _tag: "FileRefused"
  readonly code: "file_refused"
  readonly path: string
  readonly reason: "outside" | "not_found" | "exists" | "not_a_file" | "is_a_directory" | "not_a_directory" | "not_empty" | "binary" | "too_large" | "no_space" | "permission" | "read_only" | "secret" | "failed"
  readonly detail: string
}
export const FileRefused: ErrorClass<FileRefused> = asErrorClass(contract.FileRefused)

/** The file has changed since the caller read it. It was not written. */
export interface FileChanged extends PyroError {
  readonly _tag: "FileChanged"
  readonly code: "file_changed"
  readonly path: string
  readonly expectedVersion: string
  /** Current version; `absent` if the file is gone. */
  readonly actualVersion: string
}
export const FileChanged: ErrorClass<FileChanged> = asErrorClass(contract.FileChanged)

/** The text to replace does not occur exactly once. The file is unchanged. */
export interface EditRejected extends PyroError {
  readonly _tag: "EditRejected"
  readonly code: "edit_rejected"
  readonly path: string
  /** Number of occurrences. */
  readonly matches: number
  /** Line numbers of the first occurrences. */
  readonly lines: ReadonlyArray<number>
  readonly detail: string
}
export const EditRejected: ErrorClass<EditRejected> = asErrorClass(contract.EditRejected)

/** The patch cannot be read, or does not fit. Nothing was changed. */
export interface PatchRejected extends PyroError {
  readonly _tag: "PatchRejected"
  readonly code: "patch_rejected"
  readonly detail: string
  /** The first hunks and files that do not fit, at most 1,000 of them. `detail` has the number of all. */
  readonly rejects: ReadonlyArray<{
    readonly path: string
    readonly hunk: number
    readonly reason: string
  }>
}
export const PatchRejected: ErrorClass<PatchRejected> = asErrorClass(contract.PatchRejected)

/** The export, or its output, is not allowed. Nothing was written. */
export interface ExportRefused extends PyroError {
  readonly _tag: "ExportRefused"
  readonly code: "export_refused"
  readonly detail: string
  /** The first paths that caused the refusal. */
  readonly paths: ReadonlyArray<string>
}
export const ExportRefused: ErrorClass<ExportRefused> = asErrorClass(contract.ExportRefused)

/** The daemon, which has the workspaces, does not answer or does not start. */
export interface DaemonUnavailable extends PyroError {
  readonly _tag: "DaemonUnavailable"
  readonly code: "daemon_unavailable"
  readonly detail: string
  /** The program has closed the client of the call. Absent for others. */
  readonly closed?: true
}
export const DaemonUnavailable: ErrorClass<DaemonUnavailable> = asErrorClass(contract.DaemonUnavailable)

/** A daemon of another version owns the workspaces. */
export interface DaemonMismatch extends PyroError {
  readonly _tag: "DaemonMismatch"
  readonly code: "daemon_mismatch"
  readonly running: string
  readonly own: string
  readonly detail: string
}
export const DaemonMismatch: ErrorClass<DaemonMismatch> = asErrorClass(contract.DaemonMismatch)

/** A message between a program and its daemon that its receiver cannot read. Both are one build, so this is a defect of pyro. */
export interface MessageUnreadable extends PyroError {
  readonly _tag: "MessageUnreadable"
  readonly code: "message_unreadable"
  /** Name of the operation. */
  readonly operation: string
  readonly detail: string
}
export const MessageUnreadable: ErrorClass<MessageUnreadable> = asErrorClass(contract.MessageUnreadable)

/** The daemon of another machine, of another version, failed with an error whose class this version does not know. */
export interface UnknownFailure extends PyroError {
  readonly _tag: "UnknownFailure"
  readonly code: "unknown_failure"
  /** The code of the error there. */
  readonly failedAs: string
  /** What happened, in the words of that daemon. */
  readonly detail: string
}
export const UnknownFailure: ErrorClass<UnknownFailure> = asErrorClass(contract.UnknownFailure)

/** The daemon cannot serve its page. */
export interface PageUnavailable extends PyroError {
  readonly _tag: "PageUnavailable"
  readonly code: "page_unavailable"
  readonly detail: string
}
export const PageUnavailable: ErrorClass<PageUnavailable> = asErrorClass(contract.PageUnavailable)

/** No context has this name. */
export interface ContextUnknown extends PyroError {
  readonly _tag: "ContextUnknown"
  readonly code: "context_unknown"
  readonly context: string
  /** Names of all contexts. */
  readonly known: ReadonlyArray<string>
}
export const ContextUnknown: ErrorClass<ContextUnknown> = asErrorClass(contract.ContextUnknown)

/** The machine of a context cannot be reached, or has no pyro. */
export interface ContextUnreachable extends PyroError {
  readonly _tag: "ContextUnreachable"
  readonly code: "context_unreachable"
  readonly context: string
  readonly url: string
  readonly detail: string
}
export const ContextUnreachable: ErrorClass<ContextUnreachable> = asErrorClass(contract.ContextUnreachable)

/** This computer runs no microVMs, and no context names another one. */
export interface NoMicroVms extends PyroError {
  readonly _tag: "NoMicroVms"
  readonly code: "no_micro_vms"
  /** System and processor, as Node names them. */
  readonly computer: string
}
export const NoMicroVms: ErrorClass<NoMicroVms> = asErrorClass(contract.NoMicroVms)

/** The token of a client of another machine does not reach so far. Nothing was done. */
export interface NotPermitted extends PyroError {
  readonly _tag: "NotPermitted"
  readonly code: "not_permitted"
  /** Name of the operation. */
  readonly operation: string
  /** Role of the token. */
  readonly role: string
  readonly detail: string
}
export const NotPermitted: ErrorClass<NotPermitted> = asErrorClass(contract.NotPermitted)

/** The tenant of a client of another machine has as much as the server's owner grants. Nothing was done. */
export interface QuotaExceeded extends PyroError {
  readonly _tag: "QuotaExceeded"
  readonly code: "quota_exceeded"
  readonly tenant: string
  /** What is limited. */
  readonly quota: "workspaces" | "memory_mib" | "vcpus" | "disk_mib" | "commands"
  readonly limit: number
  /** What the tenant has, and what the request asks for beside it. */
  readonly used: number
  readonly asked: number
}
export const QuotaExceeded: ErrorClass<QuotaExceeded> = asErrorClass(contract.QuotaExceeded)

/** A devcontainer.json cannot become a workspace. */
export interface DevContainerRefused extends PyroError {
  readonly _tag: "DevContainerRefused"
  readonly code: "dev_container_refused"
  /** The file, or the directory without one. */
  readonly path: string
  readonly detail: string
}
export const DevContainerRefused: ErrorClass<DevContainerRefused> = asErrorClass(contract.DevContainerRefused)

/** A command of a devcontainer.json failed in the new workspace. pyro deleted that workspace. */
export interface DevContainerCommandFailed extends PyroError {
  readonly _tag: "DevContainerCommandFailed"
  readonly code: "dev_container_command_failed"
  /** The property, with the command's own name if it has one: `postCreateCommand`, `postCreateCommand.npm`. */
  readonly command: string
  /** How it ended, such as `exit status 1`. */
  readonly ended: string
  /** Its last lines. */
  readonly output: string
}
export const DevContainerCommandFailed: ErrorClass<DevContainerCommandFailed> = asErrorClass(contract.DevContainerCommandFailed)

/** No environment has the name. */
export interface EnvironmentUnknown extends PyroError {
  readonly _tag: "EnvironmentUnknown"
  readonly code: "environment_unknown"
  readonly environment: string
  readonly known: ReadonlyArray<string>
  /** Similar names. */
  readonly similar: ReadonlyArray<string>
  /** File that names the environment, as localhost/NAME. Absent if the request names it. */
  readonly path?: string
  /** Line of the file. Absent if the file is no Dockerfile. */
  readonly line?: number
}
export const EnvironmentUnknown: ErrorClass<EnvironmentUnknown> = asErrorClass(contract.EnvironmentUnknown)

/** The environment could not be built. Nothing was kept. */
export interface EnvironmentBuildFailed extends PyroError {
  readonly _tag: "EnvironmentBuildFailed"
  readonly code: "environment_build_failed"
  readonly environment: string
  /** Step that failed, such as `bootstrap` or `image`. */
  readonly step: string
  readonly detail: string
}
export const EnvironmentBuildFailed: ErrorClass<EnvironmentBuildFailed> = asErrorClass(contract.EnvironmentBuildFailed)

/** Another environment of the user has the name. */
export interface EnvironmentNameTaken extends PyroError {
  readonly _tag: "EnvironmentNameTaken"
  readonly code: "environment_name_taken"
  readonly environment: string
  /** Description of the environment that has the name. */
  readonly is: string
}
export const EnvironmentNameTaken: ErrorClass<EnvironmentNameTaken> = asErrorClass(contract.EnvironmentNameTaken)

/** A cached file (image, kernel, template, layer) differs from what pyro wrote. */
export interface ImageDamaged extends PyroError {
  readonly _tag: "ImageDamaged"
  readonly code: "image_damaged"
  readonly path: string
  readonly detail: string
}
export const ImageDamaged: ErrorClass<ImageDamaged> = asErrorClass(contract.ImageDamaged)

/** The microVM could not be started, restored or kept running, or was ended. */
export interface VmFailed extends PyroError {
  readonly _tag: "VmFailed"
  readonly code: "vm_failed"
  readonly step: string
  readonly detail: string
  /** End of the guest's console log; empty if the guest printed nothing. */
  readonly consoleTail: string
}
export const VmFailed: ErrorClass<VmFailed> = asErrorClass(contract.VmFailed)

/** The kernel of the guest panicked. */
export interface GuestPanicked extends PyroError {
  readonly _tag: "GuestPanicked"
  readonly code: "guest_panicked"
  readonly detail: string
  readonly consoleTail: string
}
export const GuestPanicked: ErrorClass<GuestPanicked> = asErrorClass(contract.GuestPanicked)

/** The connection to the guest broke, or the guest violated the protocol (`lost`), or the guest does not answer (`silent`). The outcome of the request is unknown. */
export interface ChannelFailed extends PyroError {
  readonly _tag: "ChannelFailed"
  readonly code: "channel_failed" | "guest_silent"
  readonly detail: string
  /** `silent`: the guest sends nothing, and its commands may still run. */
  readonly reason?: "lost" | "silent" | undefined
}
export const ChannelFailed: ErrorClass<ChannelFailed> = asErrorClass(contract.ChannelFailed)

/** The guest has no such program. Nothing ran. */
export interface CommandNotFound extends PyroError {
  readonly _tag: "CommandNotFound"
  readonly code: "command_not_found"
  readonly command: string
}
export const CommandNotFound: ErrorClass<CommandNotFound> = asErrorClass(contract.CommandNotFound)

/** The guest cannot execute the program. Nothing ran. */
export interface CommandNotExecutable extends PyroError {
  readonly _tag: "CommandNotExecutable"
  readonly code: "command_not_executable"
  readonly command: string
  readonly detail: string
}
export const CommandNotExecutable: ErrorClass<CommandNotExecutable> = asErrorClass(contract.CommandNotExecutable)

/** The command never started. */
export interface CommandNotStarted extends PyroError {
  readonly _tag: "CommandNotStarted"
  readonly code: "command_not_started"
  readonly step: string
  readonly detail: string
}
export const CommandNotStarted: ErrorClass<CommandNotStarted> = asErrorClass(contract.CommandNotStarted)

/** The host lacks a program that pyro needs. */
export interface HostToolMissing extends PyroError {
  readonly _tag: "HostToolMissing"
  readonly code: "host_tool_missing"
  readonly tool: string
  /** Debian package that has the tool. */
  readonly package: string
  readonly detail: string
}
export const HostToolMissing: ErrorClass<HostToolMissing> = asErrorClass(contract.HostToolMissing)

/** A program of the host is too old, or lacks a feature that pyro needs. */
export interface HostToolUnsuitable extends PyroError {
  readonly _tag: "HostToolUnsuitable"
  readonly code: "host_tool_unsuitable"
  readonly tool: string
  readonly found: string
  readonly needed: string
}
export const HostToolUnsuitable: ErrorClass<HostToolUnsuitable> = asErrorClass(contract.HostToolUnsuitable)

/** A disk of the host, or its memory for running VMs, has too little space. */
export interface NoSpace extends PyroError {
  readonly _tag: "NoSpace"
  readonly code: "no_space"
  /** Name of the full store, such as `memory store` or `cache`. */
  readonly where: string
  readonly path: string
  readonly neededMib: number
  readonly availableMib: number
  readonly fits?: number | undefined
  readonly unused?: ReadonlyArray<string> | undefined
}
export const NoSpace: ErrorClass<NoSpace> = asErrorClass(contract.NoSpace)

/** The host lacks resources for another microVM beside the running ones. */
export interface AdmissionRefused extends PyroError {
  readonly _tag: "AdmissionRefused"
  readonly code: "admission_refused"
  /** Resource that would run out, such as `memory` or `cpu`. */
  readonly resource: string
  readonly detail: string
  readonly fits?: number | undefined
  readonly unused?: ReadonlyArray<string> | undefined
}
export const AdmissionRefused: ErrorClass<AdmissionRefused> = asErrorClass(contract.AdmissionRefused)

/** pyro cannot use its state directory. */
export interface StateDirectoryUnusable extends PyroError {
  readonly _tag: "StateDirectoryUnusable"
  readonly code: "state_directory_unusable"
  readonly path: string
  readonly detail: string
}
export const StateDirectoryUnusable: ErrorClass<StateDirectoryUnusable> = asErrorClass(contract.StateDirectoryUnusable)

/** An environment variable has an invalid value. Nothing was done. */
export interface InvalidConfiguration extends PyroError {
  readonly _tag: "InvalidConfiguration"
  readonly code: "invalid_configuration"
  /** Name of the environment variable. */
  readonly variable: string
  readonly value: string
  /** Allowed values, as a phrase. */
  readonly allowed: string
}
export const InvalidConfiguration: ErrorClass<InvalidConfiguration> = asErrorClass(contract.InvalidConfiguration)

/** The source of the workspace cannot be copied. Nothing was made. */
export interface SeedRejected extends PyroError {
  readonly _tag: "SeedRejected"
  readonly code: "seed_rejected"
  readonly path: string
  readonly detail: string
}
export const SeedRejected: ErrorClass<SeedRejected> = asErrorClass(contract.SeedRejected)

/** The host cannot confine a microVM to the level that the request demands. */
export interface ConfinementUnavailable extends PyroError {
  readonly _tag: "ConfinementUnavailable"
  readonly code: "confinement_unavailable"
  readonly level: string
  readonly detail: string
}
export const ConfinementUnavailable: ErrorClass<ConfinementUnavailable> = asErrorClass(contract.ConfinementUnavailable)

/** This host cannot run microVMs on a driver. Nothing was made. */
export interface DriverUnavailable extends PyroError {
  readonly _tag: "DriverUnavailable"
  readonly code: "driver_unavailable"
  readonly driver: string
  readonly detail: string
}
export const DriverUnavailable: ErrorClass<DriverUnavailable> = asErrorClass(contract.DriverUnavailable)

/** A configuration file of an agent host cannot be read or changed. Nothing was written. */
export interface HostFileUnusable extends PyroError {
  readonly _tag: "HostFileUnusable"
  readonly code: "host_file_unusable"
  readonly host: string
  readonly path: string
  readonly detail: string
}
export const HostFileUnusable: ErrorClass<HostFileUnusable> = asErrorClass(contract.HostFileUnusable)

/** An agent has no key. Nothing was made. */
export interface AgentKeyMissing extends PyroError {
  readonly _tag: "AgentKeyMissing"
  readonly code: "agent_key_missing"
  readonly agent: string
  /** Variables of which one would do. */
  readonly variables: ReadonlyArray<string>
}
export const AgentKeyMissing: ErrorClass<AgentKeyMissing> = asErrorClass(contract.AgentKeyMissing)

/** An agent host has another entry for pyro. Nothing was written. */
export interface HostEntryDiffers extends PyroError {
  readonly _tag: "HostEntryDiffers"
  readonly code: "host_entry_differs"
  readonly host: string
  readonly path: string
  /** Keys of the entry that differ. */
  readonly keys: ReadonlyArray<string>
  /** The change that `--force` makes, as a patch. */
  readonly diff: string
}
export const HostEntryDiffers: ErrorClass<HostEntryDiffers> = asErrorClass(contract.HostEntryDiffers)

/** An image of a registry was not pulled. Nothing was kept. */
export interface ImagePullFailed extends PyroError {
  readonly _tag: "ImagePullFailed"
  readonly code: "image_pull_failed"
  /** Full reference of the image. */
  readonly image: string
  readonly reason: "not_found" | "incomplete" | "unauthorized" | "unreachable" | "policy" | "certificate" | "rate_limit" | "timeout" | "stalled" | "server" | "digest" | "platform" | "image" | "full" | "failed"
  /** What the registry, the network or the builder said. */
  readonly detail: string
  /** User of the login that the registry refused. Absent without a login. */
  readonly user?: string
}
export const ImagePullFailed: ErrorClass<ImagePullFailed> = asErrorClass(contract.ImagePullFailed)

/** A file of a repository names a registry that only the person can allow. Nothing was built. */
export interface RegistryNotAllowed extends PyroError {
  readonly _tag: "RegistryNotAllowed"
  readonly code: "registry_not_allowed"
  /** File that names it. */
  readonly path: string
  /** Line of the file. Absent if the file is no Dockerfile. */
  readonly line?: number
  /** Registry, as HOST or HOST:PORT, or an environment of this host, as localhost/NAME. */
  readonly registry: string
  readonly reason: "loopback" | "address" | "unknown" | "environment"
}
export const RegistryNotAllowed: ErrorClass<RegistryNotAllowed> = asErrorClass(contract.RegistryNotAllowed)

/** The guest cannot have a network. Nothing ran in it. */
export interface NetworkUnsupported extends PyroError {
  readonly _tag: "NetworkUnsupported"
  readonly code: "network_unsupported"
  /** Feature that the guest's kernel or agent lacks. */
  readonly detail: string
}
export const NetworkUnsupported: ErrorClass<NetworkUnsupported> = asErrorClass(contract.NetworkUnsupported)

/** The person who started the MCP server did not allow this network. Nothing was changed. */
export interface NetworkAboveCeiling extends PyroError {
  readonly _tag: "NetworkAboveCeiling"
  readonly code: "network_above_ceiling"
  /** Part of the request that is above the ceiling. */
  readonly asked: string
  /** The ceiling, as `pyro mcp serve --network-ceiling` takes it. */
  readonly ceiling: string
}
export const NetworkAboveCeiling: ErrorClass<NetworkAboveCeiling> = asErrorClass(contract.NetworkAboveCeiling)

/** Another listener of the host has the port. Nothing was published or started. */
export interface PortInUse extends PyroError {
  readonly _tag: "PortInUse"
  readonly code: "port_in_use"
  readonly hostPort: number
  readonly guestPort: number
  /** Id of the workspace that has the port; absent if another program has it. */
  readonly workspace?: string
}
export const PortInUse: ErrorClass<PortInUse> = asErrorClass(contract.PortInUse)

/** The host refuses the port, such as a port below 1024 to an ordinary user. Nothing was published or started. */
export interface PortUnavailable extends PyroError {
  readonly _tag: "PortUnavailable"
  readonly code: "port_unavailable"
  readonly hostPort: number
  readonly guestPort: number
  /** Answer of the host. */
  readonly detail: string
}
export const PortUnavailable: ErrorClass<PortUnavailable> = asErrorClass(contract.PortUnavailable)

/** The guest port is already published in another way. Nothing was changed. */
export interface PortAlreadyPublished extends PyroError {
  readonly _tag: "PortAlreadyPublished"
  readonly code: "port_already_published"
  readonly workspace: string
  readonly guestPort: number
  readonly hostPort?: number
  /** Service that the port belongs to; absent without one. */
  readonly service?: string
}
export const PortAlreadyPublished: ErrorClass<PortAlreadyPublished> = asErrorClass(contract.PortAlreadyPublished)

/** The guest port is not published. */
export interface PortNotPublished extends PyroError {
  readonly _tag: "PortNotPublished"
  readonly code: "port_not_published"
  readonly workspace: string
  readonly guestPort: number
  /** Guest ports that are published. */
  readonly published: ReadonlyArray<number>
}
export const PortNotPublished: ErrorClass<PortNotPublished> = asErrorClass(contract.PortNotPublished)

/** A model may publish ports only where the person and the policy of the workspace allow it. Nothing was published. */
export interface PublishingNotAllowed extends PyroError {
  readonly _tag: "PublishingNotAllowed"
  readonly code: "publishing_not_allowed"
  readonly workspace: string
  readonly guestPort: number
  /** Who forbids it: the ceiling of the server, or the policy of the workspace. */
  readonly reason: "ceiling" | "policy"
}
export const PublishingNotAllowed: ErrorClass<PublishingNotAllowed> = asErrorClass(contract.PublishingNotAllowed)

/** No directory around has a project's file. Nothing was done. */
export interface ProjectFileMissing extends PyroError {
  readonly _tag: "ProjectFileMissing"
  readonly code: "project_file_missing"
  /** Directory in which the search began. */
  readonly directory: string
}
export const ProjectFileMissing: ErrorClass<ProjectFileMissing> = asErrorClass(contract.ProjectFileMissing)

/** The file of a project cannot be used. Nothing was done. */
export interface ProjectFileInvalid extends PyroError {
  readonly _tag: "ProjectFileInvalid"
  readonly code: "project_file_invalid"
  readonly path: string
  /** Line of the fault. Absent if the fault has none. */
  readonly line?: number | undefined
  /** Key of the fault, with dots between the tables. Absent if the fault has none. */
  readonly key?: string | undefined
  readonly detail: string
}
export const ProjectFileInvalid: ErrorClass<ProjectFileInvalid> = asErrorClass(contract.ProjectFileInvalid)

/** The file of a project asks for what the person has not granted. Nothing was done. */
export interface ProjectNotAccepted extends PyroError {
  readonly _tag: "ProjectNotAccepted"
  readonly code: "project_not_accepted"
  readonly path: string
  /** What the file asks for, one phrase each. */
  readonly asks: ReadonlyArray<string>
}
export const ProjectNotAccepted: ErrorClass<ProjectNotAccepted> = asErrorClass(contract.ProjectNotAccepted)

/** A secret of a project's file has no value here. Nothing was done. */
export interface ProjectSecretMissing extends PyroError {
  readonly _tag: "ProjectSecretMissing"
  readonly code: "project_secret_missing"
  readonly path: string
  readonly names: ReadonlyArray<string>
}
export const ProjectSecretMissing: ErrorClass<ProjectSecretMissing> = asErrorClass(contract.ProjectSecretMissing)

/** A setup command of a project failed. The workspace stays. */
export interface ProjectSetupFailed extends PyroError {
  readonly _tag: "ProjectSetupFailed"
  readonly code: "project_setup_failed"
  readonly workspace: string
  readonly command: string
  /** How the command ended, such as `status 1`. */
  readonly ending: string
}
export const ProjectSetupFailed: ErrorClass<ProjectSetupFailed> = asErrorClass(contract.ProjectSetupFailed)

/** The workspace has no shell of that id. */
export interface ShellNotFound extends PyroError {
  readonly _tag: "ShellNotFound"
  readonly code: "shell_not_found"
  readonly workspace: string
  readonly shellId: string
}
export const ShellNotFound: ErrorClass<ShellNotFound> = asErrorClass(contract.ShellNotFound)

/** The workspace has as many open shells as it may have. Nothing was started. */
export interface TooManyShells extends PyroError {
  readonly _tag: "TooManyShells"
  readonly code: "too_many_shells"
  readonly workspace: string
  readonly maxShells: number
}
export const TooManyShells: ErrorClass<TooManyShells> = asErrorClass(contract.TooManyShells)

/** The program of the shell has ended. Nothing was done. */
export interface ShellEnded extends PyroError {
  readonly _tag: "ShellEnded"
  readonly code: "shell_ended"
  readonly workspace: string
  readonly shellId: string
  /** How it ended, such as `exited with status 0`. */
  readonly detail: string
}
export const ShellEnded: ErrorClass<ShellEnded> = asErrorClass(contract.ShellEnded)

/** The program reads no input, so the terminal took a part of it. */
export interface ShellInputBlocked extends PyroError {
  readonly _tag: "ShellInputBlocked"
  readonly code: "shell_input_blocked"
  readonly workspace: string
  readonly shellId: string
  /** Bytes that the terminal took. */
  readonly writtenBytes: number
  /** Bytes of the whole input. */
  readonly inputBytes: number
}
export const ShellInputBlocked: ErrorClass<ShellInputBlocked> = asErrorClass(contract.ShellInputBlocked)

/** The workspace has no service of that name. */
export interface ServiceNotFound extends PyroError {
  readonly _tag: "ServiceNotFound"
  readonly code: "service_not_found"
  readonly workspace: string
  readonly service: string
  /** Similar names. */
  readonly similar: ReadonlyArray<string>
}
export const ServiceNotFound: ErrorClass<ServiceNotFound> = asErrorClass(contract.ServiceNotFound)

/** A service of that name runs already. Nothing was started. */
export interface ServiceRunning extends PyroError {
  readonly _tag: "ServiceRunning"
  readonly code: "service_running"
  readonly workspace: string
  readonly service: string
  readonly state: string
}
export const ServiceRunning: ErrorClass<ServiceRunning> = asErrorClass(contract.ServiceRunning)

/** A service ended, was stopped, or was not ready in time before its start was complete. None of its processes is left. */
export interface ServiceFailed extends PyroError {
  readonly _tag: "ServiceFailed"
  readonly code: "service_failed"
  readonly workspace: string
  readonly service: string
  readonly detail: string
  /** The last lines of its log; empty if it printed nothing. */
  readonly outputTail: string
  /** Seconds that it had, if it was not ready in time. */
  readonly readyTimeoutSeconds?: number | undefined
}
export const ServiceFailed: ErrorClass<ServiceFailed> = asErrorClass(contract.ServiceFailed)

/** No workspace has the id or the name. */
export interface WorkspaceNotFound extends PyroError {
  readonly _tag: "WorkspaceNotFound"
  readonly code: "workspace_not_found"
  readonly workspace: string
  /** Similar names and ids. */
  readonly similar: ReadonlyArray<string>
  /** The outcome for the other workspaces of the request. Absent if there are none. */
  readonly others?: string
}
export const WorkspaceNotFound: ErrorClass<WorkspaceNotFound> = asErrorClass(contract.WorkspaceNotFound)

/** Several ids, or names of snapshots, have the given beginning. Nothing was done. */
export interface IdAmbiguous extends PyroError {
  readonly _tag: "IdAmbiguous"
  readonly code: "id_ambiguous"
  /** Kind of the object. */
  readonly what: "workspace" | "command" | "shell" | "snapshot" | "point"
  readonly given: string
  /** Ids or names with this beginning, at most ten. */
  readonly candidates: ReadonlyArray<string>
}
export const IdAmbiguous: ErrorClass<IdAmbiguous> = asErrorClass(contract.IdAmbiguous)

/** Another workspace has the name. Nothing was done. */
export interface WorkspaceNameTaken extends PyroError {
  readonly _tag: "WorkspaceNameTaken"
  readonly code: "workspace_name_taken"
  readonly workspaceName: string
  /** Id of the workspace that has the name; absent if it belongs to another project. */
  readonly workspace?: string
}
export const WorkspaceNameTaken: ErrorClass<WorkspaceNameTaken> = asErrorClass(contract.WorkspaceNameTaken)

/** The state of the workspace does not allow the operation. Nothing was done. */
export interface WorkspaceNotReady extends PyroError {
  readonly _tag: "WorkspaceNotReady"
  readonly code: "workspace_not_ready"
  /** Its name, or its id if it has none. */
  readonly workspace: string
  /** Its state, such as `stopped`, `failed` or `deleting`. */
  readonly state: string
  readonly detail: string
  /** Lasting states in which the operation is legal; absent when another state does not help. */
  readonly legalStates?: ReadonlyArray<string>
  /** Id of the command that was cut off from its caller, and stays; absent for others. */
  readonly execId?: string
}
export const WorkspaceNotReady: ErrorClass<WorkspaceNotReady> = asErrorClass(contract.WorkspaceNotReady)

/** A newer pyro wrote the record of the workspace or the snapshot. Nothing was changed. */
export interface StateTooNew extends PyroError {
  readonly _tag: "StateTooNew"
  readonly code: "state_too_new"
  /** Id of the workspace. */
  readonly workspace: string
  /** Name of the snapshot; absent for the workspace's own record. */
  readonly snapshot?: string
  /** File of the record. */
  readonly path: string
  /** Part of the record, such as `the record` itself or `the state of its "execs"`. */
  readonly part: string
  /** Format of the part. */
  readonly format: number
  /** Newest format that this pyro reads. 0: this pyro does not know the part. */
  readonly newest: number
}
export const StateTooNew: ErrorClass<StateTooNew> = asErrorClass(contract.StateTooNew)

/** A guest has damaged the disk of the workspace or the snapshot. Nothing was changed. */
export interface DiskDamaged extends PyroError {
  readonly _tag: "DiskDamaged"
  readonly code: "disk_damaged"
  readonly detail: string
}
export const DiskDamaged: ErrorClass<DiskDamaged> = asErrorClass(contract.DiskDamaged)

/** The workspace has no snapshot of that name. */
export interface SnapshotNotFound extends PyroError {
  readonly _tag: "SnapshotNotFound"
  readonly code: "snapshot_not_found"
  readonly workspace: string
  readonly snapshot: string
  /** Similar names. */
  readonly similar: ReadonlyArray<string>
}
export const SnapshotNotFound: ErrorClass<SnapshotNotFound> = asErrorClass(contract.SnapshotNotFound)

/** The workspace has no point before the command, or not the named one. Nothing was changed. */
export interface PointNotFound extends PyroError {
  readonly _tag: "PointNotFound"
  readonly code: "point_not_found"
  readonly workspace: string
  readonly detail: string
}
export const PointNotFound: ErrorClass<PointNotFound> = asErrorClass(contract.PointNotFound)

/** The workspace already has a snapshot of that name. Nothing was done. */
export interface SnapshotExists extends PyroError {
  readonly _tag: "SnapshotExists"
  readonly code: "snapshot_exists"
  readonly workspace: string
  readonly snapshot: string
}
export const SnapshotExists: ErrorClass<SnapshotExists> = asErrorClass(contract.SnapshotExists)

/** The memory of the snapshot cannot be restored on this host. Nothing was changed. */
export interface SnapshotMismatch extends PyroError {
  readonly _tag: "SnapshotMismatch"
  readonly code: "snapshot_mismatch"
  /** Snapshot or workspace that the memory belongs to. */
  readonly what: string
  /** Differences to the host of the capture, one sentence each. */
  readonly differences: ReadonlyArray<string>
  /** Name or id of the paused workspace whose memory it is. Absent for other memory. */
  readonly paused?: string
}
export const SnapshotMismatch: ErrorClass<SnapshotMismatch> = asErrorClass(contract.SnapshotMismatch)

/** No saved snapshot of this host has the name. */
export interface SavedNotFound extends PyroError {
  readonly _tag: "SavedNotFound"
  readonly code: "saved_not_found"
  readonly saved: string
  /** Similar names. */
  readonly similar: ReadonlyArray<string>
}
export const SavedNotFound: ErrorClass<SavedNotFound> = asErrorClass(contract.SavedNotFound)

/** The name of a new saved snapshot is in use. */
export interface SavedExists extends PyroError {
  readonly _tag: "SavedExists"
  readonly code: "saved_exists"
  readonly saved: string
}
export const SavedExists: ErrorClass<SavedExists> = asErrorClass(contract.SavedExists)

/** The record of a saved snapshot cannot be used. Nothing was changed. */
export interface SavedDamaged extends PyroError {
  readonly _tag: "SavedDamaged"
  readonly code: "saved_damaged"
  readonly saved: string
  readonly detail: string
}
export const SavedDamaged: ErrorClass<SavedDamaged> = asErrorClass(contract.SavedDamaged)

/** The workspace has no command of that id. */
export interface ExecNotFound extends PyroError {
  readonly _tag: "ExecNotFound"
  readonly code: "exec_not_found"
  readonly workspace: string
  readonly execId: string
}
export const ExecNotFound: ErrorClass<ExecNotFound> = asErrorClass(contract.ExecNotFound)

/** The command reads no input, so its stdin took a part of it. */
export interface StdinBlocked extends PyroError {
  readonly _tag: "StdinBlocked"
  readonly code: "stdin_blocked"
  readonly workspace: string
  readonly execId: string
  /** Bytes that the guest took. */
  readonly writtenBytes: number
  /** Bytes of the whole input. */
  readonly inputBytes: number
}
export const StdinBlocked: ErrorClass<StdinBlocked> = asErrorClass(contract.StdinBlocked)
