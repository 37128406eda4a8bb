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
  /**
   * Bytes for the terminal, as they are typed.
   *
   * @example
   * await using shell = await ws.shell({ command: ["cat"] })
   * await shell.input.getWriter().write("text\n")
   */
  readonly input: ByteSink
  /**
   * The screen as it is, then output as it arrives, until the program ends.
   *
   * @example
   * await using shell = await ws.shell()
   * for await (const bytes of shell.output) { process.stdout.write(bytes); break }
   */
  readonly output: ByteStream
  /**
   * Types a line, which Enter ends unless `keys` follow. Gives the position in the output before the line, for `read`.
   *
   * @example
   * await using shell = await ws.shell({ command: ["python3"] })
   * const before = await shell.type("print(6 * 7)")
   * await shell.type("", { keys: ["ctrl-d"] })
   */
  readonly type: (text: string, options?: TypeOptions) => Promise<number>
  /**
   * Shows output from a cursor on, after the waits that the options name.
   *
   * @example
   * await using shell = await ws.shell({ command: ["python3"] })
   * const { output } = await shell.read({ plain: true, waitFor: ">>>", waitMs: 60_000 })
   */
  readonly read: (options?: ShellReadFields & Cancel) => Promise<ShellScreen>
  /**
   * Changes the size of the terminal.
   *
   * @example
   * await using shell = await ws.shell()
   * const { cols } = await shell.resize({ cols: 120, rows: 40 })
   */
  readonly resize: (size: TerminalSize, options?: Cancel) => Promise<ShellInfo>
  /**
   * Sends a signal to the program in the foreground, by default SIGINT.
   *
   * @example
   * await using shell = await ws.shell({ command: ["sleep", "600"] })
   * await shell.kill("SIGTERM")
   */
  readonly kill: (signal?: SignalName, options?: Cancel) => Promise<void>
  /**
   * Ends the program. Its output stays readable.
   *
   * @example
   * const shell = await ws.shell()
   * const { outcome } = await shell.close()
   */
  readonly close: (options?: Cancel) => Promise<ShellInfo>
}
