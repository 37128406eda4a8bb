import type { WorkspaceChanges } from "./changes.ts"
import type { ExecOptions, ExecResult, Process, SpawnOptions } from "./command.ts"
import type { Cancel, Command, EventStream } from "./common.ts"
import type { Files } from "./files.ts"
import type { WorkspaceLife } from "./life.ts"
import type { Network, Port, PortOptions, Ports, Services } from "./services.ts"
import type { CommandInfo, CreateFields, ForkFields, KeepResult, WorkspaceInfo } from "./shapes.ts"
import type { Shell, ShellOptions } from "./shell.ts"
import type { Candidate, TryEvent, TryOptions } from "./try.ts"

/** Options of `create` and `open`. */
export interface CreateOptions extends CreateFields, Cancel {
  /**
   * The handle keeps the workspace alive while this program lives: it neither expires nor is paused because nothing uses it. Default: `true` if neither
   * `pauseAfterMs` nor `ttlMs` is given; the workspace is then paused 10 minutes after the last sign of life of the program, unless the
   * daemon's settings have another time. `false`: the handle gives no signs, and without a time nothing pauses the workspace.
   */
  readonly keepAlive?: boolean | undefined
}

/** Copies of a workspace. Each is a workspace of its own. The end of the use of all deletes those that are left. */
export interface Forks extends ReadonlyArray<Workspace>, AsyncDisposable {}

/**
 * A workspace: a microVM with its own disk, until it is deleted.
 *
 * Each method rejects with a `PyroError`: `WorkspaceNotFound` if the workspace was deleted, `WorkspaceNotReady` if it is stopped or failed,
 * `InvalidRequest` for an option that pyro refuses before any work, `ChannelFailed` if the guest is lost. Times are in ms, sizes in bytes or MiB.
 *
 * `await using` deletes a workspace that `create`, `fork` or `forks` has made. A workspace of `open`, `get` and `list` stays.
 *
 * @example
 * await using ws = await pyro.create({ seedPath: "." })
 * const { status, stdout } = await ws.exec("python3 -m unittest", { timeoutMs: 60_000 })
 */
export interface Workspace extends WorkspaceLife, WorkspaceChanges, AsyncDisposable {
  /** Id of the workspace. pyro never reuses an id. */
  readonly id: string
  /** Name of the workspace when this handle was made. Null if it had none. */
  readonly name: string | null
  /** The workspace when this handle was made. `status` has its present state. */
  readonly info: WorkspaceInfo
  /**
   * Runs a command to its end. Resolves for any status of the command, and rejects only where pyro failed, such as `CommandNotFound` for a
   * program that the guest does not have.
   *
   * @example
   * const { status, stdout } = await ws.exec("python3 --version", { timeoutMs: 60_000 })
   * if (status !== 0) throw new Error(stdout)
   */
  readonly exec: (command: Command, options?: ExecOptions) => Promise<ExecResult>
  /**
   * Starts a command. The command ends with this program, unless `detach` lets it go on.
   *
   * @example
   * await using server = await ws.spawn(["python3", "-m", "http.server", "8000"])
   * await server.kill("SIGTERM")
   * const { signal } = await server.wait()
   */
  readonly spawn: (command: Command, options?: SpawnOptions) => Promise<Process>
  /**
   * A command that was started before, by its id. Its end is not this program's.
   *
   * @example
   * const execId = await (await ws.spawn("sleep 1; echo done")).detach()
   * const command = await ws.attach(execId)
   * const { status } = await command.wait()
   */
  readonly attach: (execId: string, options?: Cancel) => Promise<Process>
  /**
   * Commands since create or the last reset, oldest first, at most the newest 100.
   *
   * @example
   * for (const { execId, outcome } of await ws.commands()) console.log(execId, outcome)
   */
  readonly commands: (options?: Cancel) => Promise<ReadonlyArray<CommandInfo>>
  /**
   * Opens a terminal. `await using` closes a shell that this call has opened.
   *
   * @example
   * await using shell = await ws.shell({ cols: 120, rows: 40 })
   * await shell.type("ls")
   */
  readonly shell: (options?: ShellOptions) => Promise<Shell>
  /** Programs that stay, such as servers. */
  readonly services: Services
  /** Files of the guest. */
  readonly files: Files
  /**
   * The address of a port of the guest on 127.0.0.1 of the host. Publishes the port, unless a service, the command line or another program has.
   * `await using` ends what this call has published, and leaves what was there. Rejects with `PortAlreadyPublished` for another `hostPort`.
   *
   * @example
   * await using port = await ws.port(3000)
   * console.log(port.url)
   */
  readonly port: (guestPort: number, options?: PortOptions) => Promise<Port>
  /** Published ports. */
  readonly ports: Ports
  /** Network policy and connections. */
  readonly network: Network
  /**
   * A copy with memory and disk: processes, servers and REPLs go on in both.
   *
   * @example
   * await using attempt = await ws.fork()
   * const { status } = await attempt.exec("true")
   */
  readonly fork: (options?: ForkFields & Cancel) => Promise<Workspace>
  /**
   * Several copies at once, in the time of one: 1 to 64, all of them or none. With a `name`, several are NAME-1, NAME-2 and so on. `await using`
   * deletes all that are left, also when the program fails.
   *
   * @example
   * await using attempts = await ws.forks(2)
   * const results = await Promise.all(attempts.map((attempt) => attempt.exec("python3 -m unittest")))
   */
  readonly forks: (count: number, options?: ForkFields & Cancel) => Promise<Forks>
  /**
   * Tries up to 16 patches or commands, each in a fork of its own, and keeps the one that `keep` says as this workspace. The end of the loop ends
   * the try: the workspace is then as it was.
   *
   * @example
   * const candidates = [{ name: "touch", command: "touch new.txt" }, { name: "fail", command: "false" }]
   * for await (const event of ws.try(candidates, { check: "test -e new.txt", keep: "best" })) {
   *   if (event._tag === "Done") console.log(event.kept)
   * }
   */
  readonly try: (candidates: ReadonlyArray<Candidate>, options?: TryOptions) => EventStream<TryEvent>
  /**
   * Makes a candidate of the last finished try this workspace: its files, in a new microVM in which its services start again. Candidates stay for a day,
   * until the next try or reset. `rewind` undoes the keep.
   *
   * @example
   * for await (const event of ws.try([{ name: "touch", command: "touch kept.txt" }])) {
   *   if (event._tag === "Done") console.log(event.bestReason, event.keepable)
   * }
   * await ws.keep("touch")
   */
  readonly keep: (candidate: string, options?: Cancel) => Promise<KeepResult>
}
