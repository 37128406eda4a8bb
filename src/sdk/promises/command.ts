import type { ByteSink, ByteStream, Cancel, Ended, Input, SignalName } from "./common.ts"
import type { CommandFields } from "./shapes.ts"

/** Options of `exec`. */
export interface ExecOptions extends CommandFields, Cancel {
  /** Stdin of the command. A failure of the input ends the command. Default: /dev/null. */
  readonly stdin?: Input | undefined
  /**
   * Maximum bytes of stdout, and of stderr, in the result, at most 67108864. The middle of longer output is left out. `spawn` gives output
   * of any length, as streams. Default: 16777216.
   */
  readonly maxBytes?: number | undefined
  /** Gets stdout as it arrives, as text. */
  readonly onStdout?: ((text: string) => void) | undefined
  /** Gets stderr as it arrives, as text. */
  readonly onStderr?: ((text: string) => void) | undefined
}

/** A command that has ended, with any status. */
export interface ExecResult extends Ended {
  /** Output on stdout. Bytes that are not UTF-8 are U+FFFD. */
  readonly stdout: string
  /** Output on stderr. Bytes that are not UTF-8 are U+FFFD. */
  readonly stderr: string
  /** Both outputs as one text, in the order of arrival. */
  readonly output: string
  /** Bytes that the command wrote to stdout, also those that are left out. */
  readonly stdoutBytes: number
  /** Bytes that the command wrote to stderr, also those that are left out. */
  readonly stderrBytes: number
  /** Whether the middle of stdout or stderr is left out. */
  readonly truncated: boolean
  /** Id of the command, for `attach`. */
  readonly execId: string
}

/** Options of `spawn`. */
export interface SpawnOptions extends CommandFields {
  /** An abort kills the command and all its processes. Before the start, `spawn` rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** `pipe`: `stdin` of the process writes to the command. `ignore`: the command reads an empty stdin. Default: `pipe`. */
  readonly stdin?: "pipe" | "ignore" | undefined
  /** Run on a terminal of this size in columns and rows. stdout and stderr are then one stream. Default: no terminal. */
  readonly tty?: TerminalSize | undefined
}

/** Size of a terminal in characters. */
export interface TerminalSize {
  /** Width in columns, 1 to 65535. */
  readonly cols: number
  /** Height in rows, 1 to 65535. */
  readonly rows: number
}

/** Options of `kill`. */
export interface KillOptions extends Cancel {
  /**
   * Who gets the signal. `command`: the process and all processes that it started. `group`: its process group. `process`: its own process.
   * Default: `command`.
   */
  readonly to?: "command" | "group" | "process" | undefined
}

/**
 * A running command of a workspace.
 *
 * pyro keeps the output of a command on the host, for readers that come late: the first 256 MiB and the newest 1 GiB. Output that nobody
 * reads stops no command, and `wait` needs no reader. A command waits for a reader that is more than this behind.
 *
 * @example
 * await using child = await ws.spawn("for i in 1 2 3; do echo $i; done")
 * for await (const bytes of child.stdout) process.stdout.write(bytes)
 * const { status } = await child.wait()
 */
export interface Process extends AsyncDisposable {
  /** Id of the command in its workspace, for `attach`. */
  readonly execId: string
  /** Process id in the guest. Null for an attached command that has ended. */
  readonly pid: number | null
  /**
   * Input of the command. Its `close` ends the input. Absent input fails each write.
   *
   * @example
   * const child = await ws.spawn(["cat"])
   * const input = child.stdin.getWriter()
   * await input.write("text")
   * await input.close()
   */
  readonly stdin: ByteSink
  /**
   * Output on stdout, from the command's start on.
   *
   * @example
   * const child = await ws.spawn("echo out")
   * for await (const bytes of child.stdout) process.stdout.write(bytes)
   */
  readonly stdout: ByteStream
  /**
   * Output on stderr, from the command's start on.
   *
   * @example
   * const child = await ws.spawn("echo err >&2")
   * for await (const bytes of child.stderr) process.stderr.write(bytes)
   */
  readonly stderr: ByteStream
  /**
   * Both outputs in the order of arrival.
   *
   * @example
   * const child = await ws.spawn("echo out; echo err >&2")
   * for await (const bytes of child.output) process.stdout.write(bytes)
   */
  readonly output: ByteStream
  /**
   * Waits for the end of the command. An abort ends the wait alone.
   *
   * @example
   * const child = await ws.spawn("exit 3")
   * const { status, signal } = await child.wait()
   */
  readonly wait: (options?: Cancel) => Promise<Ended>
  /**
   * Sends a signal, by default SIGTERM. False if the command has ended before.
   *
   * @example
   * const child = await ws.spawn("sleep 600")
   * await child.kill("SIGINT", { to: "process" })
   */
  readonly kill: (signal?: SignalName, options?: KillOptions) => Promise<boolean>
  /**
   * Changes the size of the command's terminal. False if the command has ended before.
   *
   * @example
   * await using child = await ws.spawn(["bash"], { tty: { cols: 80, rows: 24 } })
   * await child.resize({ cols: 120, rows: 40 })
   */
  readonly resize: (size: TerminalSize, options?: Cancel) => Promise<boolean>
  /**
   * Leaves the command running without this program, and gives its id for `attach`. Otherwise the command ends with this program.
   *
   * @example
   * const child = await ws.spawn("sleep 2; echo done")
   * const execId = await child.detach()
   */
  readonly detach: (options?: Cancel) => Promise<string>
}
