import { Schema } from "effect"
import { EditRejected, ExportRefused, FileChanged, FileRefused, PatchRejected } from "./content.ts"
import { ContractError, oneOfErrors } from "./contract-error.ts"
import { DaemonMismatch, DaemonUnavailable, MessageUnreadable } from "./daemon.ts"
import { EnvironmentBuildFailed, EnvironmentNameTaken, EnvironmentUnknown, ImageDamaged } from "./environment.ts"
import {
  ChannelFailed,
  CommandNotExecutable,
  CommandNotFound,
  CommandNotStarted,
  GuestPanicked,
  VmFailed
} from "./guest.ts"
import {
  AdmissionRefused,
  AgentKeyMissing,
  ConfinementUnavailable,
  HostEntryDiffers,
  HostFileUnusable,
  HostToolMissing,
  HostToolUnsuitable,
  InvalidConfiguration,
  NoSpace,
  SeedRejected,
  StateDirectoryUnusable
} from "./host.ts"
import {
  NetworkAboveCeiling,
  NetworkDriverUnavailable,
  NetworkUnsupported,
  PortAlreadyPublished,
  PortInUse,
  PortNotPublished,
  PortUnavailable,
  PublishingNotAllowed
} from "./network.ts"
import {
  ServiceFailed,
  ServiceNotFound,
  ServiceRunning,
  ShellEnded,
  ShellInputBlocked,
  ShellNotFound,
  TooManyShells
} from "./resident.ts"
import {
  DiskDamaged,
  ExecNotFound,
  IdAmbiguous,
  SnapshotExists,
  SnapshotMismatch,
  SnapshotNotFound,
  StateTooNew,
  WorkspaceNameTaken,
  WorkspaceNotFound,
  WorkspaceNotReady
} from "./workspace.ts"

export * from "./content.ts"
export * from "./daemon.ts"
export * from "./environment.ts"
export * from "./guest.ts"
export * from "./host.ts"
export * from "./network.ts"
export * from "./resident.ts"
export * from "./workspace.ts"

/** The request is invalid. Another attempt fails as well. */
export class InvalidRequest extends ContractError<InvalidRequest>()("InvalidRequest", {
  /** JSON name of the field; empty for the whole request. */
  field: Schema.String,
  detail: Schema.String
}, {
  fact: ({ field, detail }) => field === "" ? detail : `${field}: ${detail}`,
  steps: "correct this argument and call again"
}) {}

/** All errors of the contract. */
export const PyroError = oneOfErrors([
  InvalidRequest,
  EnvironmentUnknown,
  EnvironmentBuildFailed,
  EnvironmentNameTaken,
  ImageDamaged,
  HostToolMissing,
  HostToolUnsuitable,
  VmFailed,
  GuestPanicked,
  ChannelFailed,
  CommandNotFound,
  CommandNotExecutable,
  CommandNotStarted,
  NoSpace,
  AdmissionRefused,
  StateDirectoryUnusable,
  InvalidConfiguration,
  StateTooNew,
  SeedRejected,
  ConfinementUnavailable,
  WorkspaceNotFound,
  IdAmbiguous,
  WorkspaceNameTaken,
  WorkspaceNotReady,
  DiskDamaged,
  SnapshotNotFound,
  SnapshotExists,
  SnapshotMismatch,
  ExecNotFound,
  ShellNotFound,
  ShellEnded,
  ShellInputBlocked,
  TooManyShells,
  ServiceNotFound,
  ServiceRunning,
  ServiceFailed,
  FileRefused,
  FileChanged,
  EditRejected,
  PatchRejected,
  ExportRefused,
  NetworkDriverUnavailable,
  NetworkUnsupported,
  NetworkAboveCeiling,
  PortInUse,
  PortUnavailable,
  PortAlreadyPublished,
  PortNotPublished,
  PublishingNotAllowed,
  DaemonUnavailable,
  DaemonMismatch,
  MessageUnreadable,
  HostFileUnusable,
  HostEntryDiffers,
  AgentKeyMissing
])
export type PyroError = typeof PyroError.Type
