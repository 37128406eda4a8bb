import { layerOf } from "./installed.ts"
import type { ConnectOptions, PyroClient } from "./promises/client.ts"
import { connectTo } from "./promises/connect-to.ts"

export { labelOf } from "./label.ts"
export type { WorkspaceChanges } from "./promises/changes.ts"
export type { ConnectOptions, ListOptions, PyroClient, SavedSnapshots } from "./promises/client.ts"
export type { ExecOptions, ExecResult, KillOptions, Process, SpawnOptions, TerminalSize } from "./promises/command.ts"
export type {
  Bytes,
  ByteSink,
  ByteStream,
  Cancel,
  Command,
  Ended,
  EventStream,
  Input,
  SignalName
} from "./promises/common.ts"
export { type ErrorClass, type NextStep, PyroError } from "./promises/error-class.ts"
export * from "./promises/errors.ts"
export type { AsUser, FileStat, ReadOptions, WatchEvent, WatchOptions } from "./promises/file-options.ts"
export type { Files } from "./promises/files.ts"
export type { WorkspaceLife } from "./promises/life.ts"
export type { DownOptions, DownOutcome, UpOptions } from "./promises/project.ts"
export type * from "./promises/services.ts"
export type * from "./promises/shapes.ts"
export type { Shell, ShellOptions, TypeOptions } from "./promises/shell.ts"
export type { Candidate, TryEvent, TryOptions } from "./promises/try.ts"
export type { CreateOptions, Forks, Workspace } from "./promises/workspace.ts"

/**
 * pyro through the daemon of this installation, which the first call starts if none runs. The command line and other programs share it.
 *
 * @example
 * await using pyro = connect()
 * await using ws = await pyro.create({ seedPath: "." })
 * const { status, stdout } = await ws.exec("python3 -m unittest")
 */
export const connect = (options: ConnectOptions = {}): PyroClient => connectTo(layerOf(options))
