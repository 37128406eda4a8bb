import { Schema } from "effect"
import { AgentKeyMissing, HostEntryDiffers, HostFileUnusable } from "./agent-host-errors.ts"
import { EditRejected, ExportRefused, FileChanged, FileRefused, PatchRejected } from "./content-errors.ts"
import { ContractError } from "./contract-error.ts"
import { DaemonMismatch, DaemonUnavailable } from "./daemon-errors.ts"
import { EnvironmentBuildFailed, EnvironmentNameTaken, EnvironmentUnknown, ImageDamaged } from "./environment-errors.ts"
import {
  ChannelFailed,
  CommandNotExecutable,
  CommandNotFound,
  CommandNotStarted,
  GuestPanicked,
  VmFailed
} from "./guest-errors.ts"
import {
  AdmissionRefused,
  ConfinementUnavailable,
  HostToolMissing,
  HostToolUnsuitable,
  InvalidConfiguration,
  NoSpace,
  SeedRejected,
  StateDirectoryUnusable
} from "./host-errors.ts"
import { NetworkAboveCeiling, NetworkDriverUnavailable, NetworkUnsupported } from "./network-errors.ts"
import {
  PortAlreadyPublished,
  PortInUse,
  PortNotPublished,
  PortUnavailable,
  PublishingNotAllowed
} from "./port-errors.ts"
import { ServiceFailed, ServiceNotFound, ServiceRunning } from "./service-errors.ts"
import { ShellEnded, ShellInputBlocked, ShellNotFound, TooManyShells } from "./shell-errors.ts"
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
} from "./workspace-errors.ts"

export * from "./agent-host-errors.ts"
export * from "./content-errors.ts"
export * from "./daemon-errors.ts"
export * from "./environment-errors.ts"
export * from "./guest-errors.ts"
export * from "./host-errors.ts"
export * from "./network-errors.ts"
export * from "./port-errors.ts"
export * from "./service-errors.ts"
export * from "./shell-errors.ts"
export * from "./workspace-errors.ts"

/** The request is invalid. Another attempt fails as well. */
export class InvalidRequest extends ContractError<InvalidRequest>()(
  "InvalidRequest",
  {
    /** JSON name of the field; empty for the whole request. */
    field: Schema.String,
    detail: Schema.String
  }
) {
  override get message() {
    return this.field === "" ? this.detail : `${this.field}: ${this.detail}`
  }
}

/** The error without the next command of `pyro`, for MCP tools and programs. */
export const factOf = (error: PyroError): string => "fact" in error ? error.fact : error.message

/** All errors of the contract. `exitStatus` must have a row for each class, or it does not compile. */
export const PyroError = Schema.Union(
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
  HostFileUnusable,
  HostEntryDiffers,
  AgentKeyMissing
)
export type PyroError = typeof PyroError.Type
