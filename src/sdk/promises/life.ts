import type { Cancel } from "./common.ts"
import type { Snapshots } from "./services.ts"
import type {
  CommitFields,
  EnvironmentInfo,
  History,
  HistoryFields,
  ResetFields,
  RewindFields,
  RewindResult,
  SavedInfo,
  SaveFields,
  SnapshotInfo,
  UpdateFields,
  WorkspaceInfo
} from "./shapes.ts"

/** States of a workspace, as a part of `Workspace`. */
export interface WorkspaceLife {
  /**
   * State, sizes, labels, last use and expiry.
   *
   * @example
   * const { state, expiresAt } = await ws.status()
   */
  readonly status: (options?: Cancel) => Promise<WorkspaceInfo>
  /**
   * Saves memory and disk under a name, for `reset` and `fork`.
   *
   * @example
   * await ws.snapshot("green")
   * await ws.reset({ snapshot: "green" })
   */
  readonly snapshot: (name: string, options?: Cancel) => Promise<SnapshotInfo>
  /** Saved states of memory and disk. */
  readonly snapshots: Snapshots
  /**
   * Saves memory and disk under a name of this host. The saved snapshot outlives the workspace.
   *
   * @example
   * await ws.save("warm")
   * await using copy = await pyro.create({ fromSnapshot: "warm" })
   */
  readonly save: (name: string, options?: SaveFields & Cancel) => Promise<SavedInfo>
  /**
   * Makes an environment of the files, under a name for `environment` of `create`. `workspaceAs` names a directory for the files of /workspace.
   *
   * @example
   * const { name } = await ws.commit("installed", { workspaceAs: "/srv/app", replace: true })
   * await using copy = await pyro.create({ environment: name })
   */
  readonly commit: (name: string, options?: CommitFields & Cancel) => Promise<EnvironmentInfo>
  /**
   * Returns to the state after create, or to a snapshot.
   *
   * @example
   * const { state } = await ws.reset()
   */
  readonly reset: (options?: ResetFields & Cancel) => Promise<WorkspaceInfo>
  /**
   * Commands since create or the last reset, with where a rewind can return to.
   *
   * @example
   * const { commands } = await ws.history()
   */
  readonly history: (options?: HistoryFields & Cancel) => Promise<History>
  /**
   * Brings the disk back to the moment before a command. `redo` of the answer leads forward again. Rejects with `PointNotFound` if no point is
   * left from before the command.
   *
   * @example
   * await ws.exec("rm -rf /usr/share/doc")
   * const { redo, undone } = await ws.rewind({ steps: 1 })
   */
  readonly rewind: (options?: RewindFields & Cancel) => Promise<RewindResult>
  /**
   * Ends the microVM and keeps the disk.
   *
   * @example
   * await ws.stop()
   * await ws.start()
   */
  readonly stop: (options?: Cancel) => Promise<WorkspaceInfo>
  /**
   * Starts a new microVM from the disk of a stopped or failed workspace.
   *
   * @example
   * const { state } = await ws.start()
   */
  readonly start: (options?: Cancel) => Promise<WorkspaceInfo>
  /**
   * Writes the memory to disk and frees it. The next use of the workspace, or `resume`, continues its processes.
   *
   * @example
   * const { state } = await ws.pause()
   */
  readonly pause: (options?: Cancel) => Promise<WorkspaceInfo>
  /**
   * Continues a paused workspace from its memory.
   *
   * @example
   * await ws.pause()
   * const { state } = await ws.resume()
   */
  readonly resume: (options?: Cancel) => Promise<WorkspaceInfo>
  /**
   * Gives the workspace another name. The id stays, and this handle works as before.
   *
   * @example
   * const { name } = await ws.rename("parser")
   */
  readonly rename: (name: string, options?: Cancel) => Promise<WorkspaceInfo>
  /**
   * Changes the given fields, and no other. `ttlMs: 0` removes the expiry.
   *
   * @example
   * const { labels } = await ws.update({ labels: { reviewed: "yes" }, ttlMs: 3_600_000 })
   */
  readonly update: (options: UpdateFields & Cancel) => Promise<WorkspaceInfo>
  /**
   * Deletes the workspace with its files. Does nothing if it is gone.
   *
   * @example
   * const other = await pyro.create({ memoryMib: 256 })
   * await other.delete()
   */
  readonly delete: (options?: Cancel) => Promise<void>
}
