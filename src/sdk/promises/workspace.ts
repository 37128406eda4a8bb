import type { ExecOptions, ExecResult, Process, SpawnOptions } from "./command.ts"
import type { Cancel, Command } from "./common.ts"
import type { Files } from "./files.ts"
import type { Network, Port, PortOptions, Ports, Services, Snapshots } from "./services.ts"
import type {
  CommandInfo,
  CreateFields,
  DiffFields,
  DiffResult,
  ExportFields,
  ExportResult,
  ForkFields,
  PatchApplied,
  PatchFields,
  ResetFields,
  SnapshotInfo,
  WorkspaceInfo
} from "./shapes.ts"
import type { Shell, ShellOptions } from "./shell.ts"

/** Options of `create` and `open`. */
export interface CreateOptions extends CreateFields, Cancel {}

/**
 * A workspace: a microVM with its own disk, until it is deleted.
 *
 * `await using` deletes a workspace that `create` or `fork` has made. A workspace of `open`, `get` and `list` stays.
 *
 * @example
 * await using ws = await pyro.create({ seedPath: "." })
 * const { status, stdout } = await ws.exec("python3 -m unittest", { timeoutMs: 60_000 })
 */
export interface Workspace extends AsyncDisposable {
  /** Id of the workspace. pyro never reuses an id. */
  readonly id: string
  /** Name of the workspace when this handle was made. Null if it had none. */
  readonly name: string | null
  /** The workspace when this handle was made. `status` has its present state. */
  readonly info: WorkspaceInfo
  /** State, sizes, labels, last use and expiry. */
  readonly status: (options?: Cancel) => Promise<WorkspaceInfo>
  /** Runs a command to its end. Resolves for any status of the command, and rejects only where pyro failed. */
  readonly exec: (command: Command, options?: ExecOptions) => Promise<ExecResult>
  /** Starts a command. The command ends with this program, unless `detach` lets it go on. */
  readonly spawn: (command: Command, options?: SpawnOptions) => Promise<Process>
  /** A command that was started before, by its id. Its end is not this program's. */
  readonly attach: (execId: string, options?: Cancel) => Promise<Process>
  /** Commands since create or the last reset, oldest first, at most the newest 100. */
  readonly commands: (options?: Cancel) => Promise<ReadonlyArray<CommandInfo>>
  /** Opens a terminal. `await using` closes a shell that this call has opened. */
  readonly shell: (options?: ShellOptions) => Promise<Shell>
  readonly services: Services
  readonly files: Files
  /** Publishes a port of the guest on 127.0.0.1 of the host. */
  readonly port: (guestPort: number, options?: PortOptions) => Promise<Port>
  readonly ports: Ports
  readonly network: Network
  /** Saves memory and disk under a name, for `reset` and `fork`. */
  readonly snapshot: (name: string, options?: Cancel) => Promise<SnapshotInfo>
  readonly snapshots: Snapshots
  /** A copy with memory and disk: processes, servers and REPLs go on in both. */
  readonly fork: (options?: ForkFields & Cancel) => Promise<Workspace>
  /** Returns to the state after create, or to a snapshot. */
  readonly reset: (options?: ResetFields & Cancel) => Promise<WorkspaceInfo>
  /** Ends the microVM and keeps the disk. */
  readonly stop: (options?: Cancel) => Promise<WorkspaceInfo>
  /** Starts a new microVM from the disk of a stopped or failed workspace. */
  readonly start: (options?: Cancel) => Promise<WorkspaceInfo>
  /** Changes of /workspace since create. */
  readonly diff: (options?: DiffFields & Cancel) => Promise<DiffResult>
  /** Applies a whole patch to /workspace, or nothing. */
  readonly patch: (patch: string | Uint8Array, options?: PatchFields & Cancel) => Promise<PatchApplied>
  /** Copies a file or a directory of the guest to a path of the host. A relative host path is relative to this program's directory. */
  readonly export: (path: string, output: string, options?: ExportFields & Cancel) => Promise<ExportResult>
  /** Deletes the workspace with its files. Does nothing if it is gone. */
  readonly delete: (options?: Cancel) => Promise<void>
}
