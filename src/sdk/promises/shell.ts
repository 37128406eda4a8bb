import type { TerminalSize } from "./command.ts"
import type { ByteSink, ByteStream, Cancel, Command, SignalName } from "./common.ts"
import type { ShellFields, ShellInfo, ShellReadFields, ShellScreen } from "./shapes.ts"

/** Options of `shell`. */
export interface ShellOptions extends ShellFields, Cancel {
  /** Program and its arguments. Default: bash -l. */
  readonly command?: Command | undefined
  /** Id of an open shell, to use it instead of a new one. */
  readonly shellId?: string | undefined
}

/** Options of `type`. */
export interface TypeOptions extends Cancel {
  /** Keys to press after the text in place of Enter, such as `ctrl-c`. Default: Enter. */
  readonly keys?: ReadonlyArray<string> | undefined
  /** Do not press Enter after the text. Default: false. */
  readonly noNewline?: boolean | undefined
}

/**
 * A terminal of a workspace that stays open, for dialogues: a REPL, a debugger, a full-screen program.
 *
 * @example
 * await using shell = await ws.shell({ command: ["python3"] })
 * await shell.type("6 * 7")
 * const { output } = await shell.read({ plain: true, waitFor: "42" })
 */
export interface Shell extends AsyncDisposable {
  /** Id of the shell in its workspace. */
  readonly shellId: string
  /** Bytes for the terminal, as they are typed. */
  readonly input: ByteSink
  /** The screen as it is, then output as it arrives, until the program ends. */
  readonly output: ByteStream
  /** Types a line, which Enter ends unless `keys` follow. Gives the position in the output before the line, for `read`. */
  readonly type: (text: string, options?: TypeOptions) => Promise<number>
  /** Shows output from a cursor on, after the waits that the options name. */
  readonly read: (options?: ShellReadFields & Cancel) => Promise<ShellScreen>
  /** Changes the size of the terminal. */
  readonly resize: (size: TerminalSize, options?: Cancel) => Promise<ShellInfo>
  /** Sends a signal to the program in the foreground, by default SIGINT. */
  readonly kill: (signal?: SignalName, options?: Cancel) => Promise<void>
  /** Ends the program. Its output stays readable. */
  readonly close: (options?: Cancel) => Promise<ShellInfo>
}
