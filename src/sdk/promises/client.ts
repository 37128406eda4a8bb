import type { Cancel } from "./common.ts"
import type { DownOptions, DownOutcome, UpOptions } from "./project.ts"
import type { SavedDetail, SavedExported, SavedExportFields, SavedImportFields, SavedInfo } from "./shapes.ts"
import type { CreateOptions, Workspace } from "./workspace.ts"

/**
 * Options of `connect`. None of them gives a workspace more than the person who runs the program has: the daemon is that of the same user.
 *
 * @example
 * await using pyro = connect({ stateDir: "./state", driver: "qemu" })
 */
export interface ConnectOptions {
  /**
   * Directory of the workspaces and of their daemon, as `PYRO_STATE_DIR`. Each directory has workspaces of its own. A relative path is relative to
   * this program's directory. Default: that of the command line.
   */
  readonly stateDir?: string | undefined
  /**
   * Machine that has the workspaces: a name of `pyro context list`, or `local`. It needs ssh of this computer, which asks nothing. Default: that of
   * `PYRO_CONTEXT`, else of `pyro context use`; with `stateDir`, this machine.
   */
  readonly context?: string | undefined
  /** Start a daemon where none runs. `false`: calls then reject with `DaemonUnavailable`. Default: true. */
  readonly startDaemon?: boolean | undefined
  /** Maximum wait for the start of a daemon, in ms. A call takes an `AbortSignal` for its own time. Default: 60000. */
  readonly startTimeoutMs?: number | undefined
  /** Program that runs the microVMs of `create` and `open`, unless these name one. Default: that of the daemon. */
  readonly driver?: "auto" | "qemu" | "firecracker" | undefined
}

/** Options of `list`. */
export interface ListOptions extends Cancel {
  /** Labels that the workspaces must have. Default: none. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/**
 * Saved snapshots of this host, which `ws.save` makes.
 *
 * @example
 * const warm = await pyro.saved.get("warm")
 */
export interface SavedSnapshots {
  /**
   * Saved snapshots, oldest first.
   *
   * @example
   * for (const { name, kind } of await pyro.saved.list()) console.log(name, kind)
   */
  readonly list: (options?: Cancel) => Promise<ReadonlyArray<SavedInfo>>
  /**
   * A saved snapshot, and why its memory cannot continue on this host. Null if there is none of this name.
   *
   * @example
   * const installed = await pyro.saved.get("installed")
   * if (installed === null) await ws.save("installed", { diskOnly: true })
   */
  readonly get: (name: string, options?: Cancel) => Promise<SavedDetail | null>
  /**
   * Deletes a saved snapshot. Does nothing if it is gone. Workspaces that started from it stay.
   *
   * @example
   * await ws.save("old", { diskOnly: true })
   * await pyro.saved.delete("old")
   */
  readonly delete: (name: string, options?: Cancel) => Promise<void>
  /**
   * Writes a saved snapshot to one file, for another host: the whole file or nothing. A relative path is relative to this program's directory.
   * Rejects with `SavedNotFound` if there is none of this name.
   *
   * @example
   * await ws.save("moved", { diskOnly: true })
   * const { bytes, sha256 } = await pyro.saved.export("moved", "./moved.pyro", { overwrite: true })
   */
  readonly export: (
    name: string,
    output: string,
    options?: SavedExportFields & Cancel
  ) => Promise<SavedExported>
  /**
   * Takes a file of `export` as a saved snapshot, under the name in it or another `name`. The memory of another host is refused, and `diskOnly`
   * takes the files alone. Import a memory only from people whom you trust.
   *
   * @example
   * await ws.save("files", { diskOnly: true })
   * await pyro.saved.export("files", "./files.pyro", { overwrite: true })
   * const { name } = await pyro.saved.import("./files.pyro", { name: "copied" })
   */
  readonly import: (path: string, options?: SavedImportFields & Cancel) => Promise<SavedInfo>
}

/**
 * pyro for programs. The daemon of the command line has the workspaces, and starts with the first call.
 *
 * @example
 * await using pyro = connect()
 * await using ws = await pyro.create({ seedPath: "." })
 */
export interface PyroClient extends AsyncDisposable {
  /**
   * Creates a workspace. Without `await using`, it stays until it is deleted or expires.
   *
   * @example
   * await using ws = await pyro.create({ memoryMib: 256, ttlMs: 3_600_000 })
   */
  readonly create: (options?: CreateOptions) => Promise<Workspace>
  /**
   * A workspace by its name or id. Null if there is none.
   *
   * @example
   * const found = await pyro.get("fix")
   * if (found === null) console.log("there is none")
   */
  readonly get: (nameOrId: string, options?: Cancel) => Promise<Workspace | null>
  /**
   * The workspace of this name, started if it is stopped. Created with the options if there is none.
   *
   * @example
   * const ws = await pyro.open("mine", { memoryMib: 256 })
   * await ws.delete()
   */
  readonly open: (name: string, options?: CreateOptions) => Promise<Workspace>
  /**
   * Workspaces, the last used first.
   *
   * @example
   * for (const { id, name } of await pyro.list({ labels: { task: "42" } })) console.log(id, name)
   */
  readonly list: (options?: ListOptions) => Promise<ReadonlyArray<Workspace>>
  /**
   * The workspace of a project, made or resumed as its `pyro.toml` says. It stays. Rejects with `ProjectNotAccepted` if the file asks for more than
   * was granted: `asks` has it, and `consent` grants it.
   *
   * @example
   * const ws = await pyro.up({ directory: "./shop" })
   * const { status } = await ws.exec("ls")
   */
  readonly up: (options?: UpOptions) => Promise<Workspace>
  /**
   * Pauses the workspace of a project, or deletes it. Does nothing if it does not run.
   *
   * @example
   * const outcome = await pyro.down({ directory: "./shop", delete: true })
   */
  readonly down: (options?: DownOptions) => Promise<DownOutcome>
  /** Saved snapshots, for `create({ fromSnapshot })`. */
  readonly saved: SavedSnapshots
  /**
   * Ends waiting calls and spawned commands, and closes the connection. Workspaces stay.
   *
   * @example
   * const pyro = connect()
   * await pyro.close()
   */
  readonly close: () => Promise<void>
}
