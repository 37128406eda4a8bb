import { Context, Data, type Effect, type Scope, type Stream } from "effect"
import type { WindowSize } from "../../contract/rows/run-input.ts"

/** Stdout accepts no more bytes: the reader of the pipe has gone (`EPIPE`), or for example the disk is full (`ENOSPC`). */
export class OutputClosed extends Data.TaggedError("OutputClosed")<{
  readonly code: string
  /** The terminal of stdout has hung up. */
  readonly isHungUp: boolean
}> {}

/** A file of the command line cannot be read. The detail begins with its path. */
export class FileUnreadable extends Data.TaggedError("FileUnreadable")<{ readonly detail: string }> {}

/** The process's three streams and its terminal, as far as the CLI needs them. */
export class Terminal extends Context.Service<Terminal, {
  readonly stdinIsTerminal: boolean
  /** Stdin is /dev/null. */
  readonly stdinIsNull: boolean
  /** Whether stdin has unread data for pyro alone (`unread-stdin.ts`). */
  readonly hasUnreadStdin: Effect.Effect<boolean>
  readonly stdoutIsTerminal: boolean
  readonly stderrIsTerminal: boolean
  /** Stdout and stderr are one file, pipe or terminal. */
  readonly outputsAreOne: boolean
  /** Whether to print colours: stdout is a terminal, and `NO_COLOR` is not set. */
  readonly colour: boolean
  /** Writes and waits until the reader keeps up. */
  readonly writeStdout: (bytes: Uint8Array | string) => Effect.Effect<void, OutputClosed>
  /** Like `writeStdout`. Does nothing if stderr is closed. */
  readonly writeStderr: (bytes: Uint8Array | string) => Effect.Effect<void>
  /** All of stdin, read on demand. Empty if pyro is a background process of its terminal. */
  readonly stdin: Stream.Stream<Uint8Array>
  readonly size: Effect.Effect<WindowSize>
  /** The terminal's size, each time it changes. */
  readonly resizes: Stream.Stream<WindowSize>
  /**
   * Until the Scope closes, the first signal that would end pyro completes the inner effect instead, so that a running command can end
   * with its output. A later signal ends pyro.
   */
  readonly interceptSignal: Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
  /** Passes every key to the guest, even Ctrl-C, until the Scope closes or the process exits. */
  readonly raw: Effect.Effect<void, never, Scope.Scope>
  /**
   * Restores the terminal from the modes of a guest's program, when the Scope closes, and also when pyro is killed. Call the result at
   * each switch to or from the alternate screen.
   */
  readonly guard: Effect.Effect<(isAlternate: boolean) => void, never, Scope.Scope>
  /** Reads a file of the host, or stdin for `-`. Fails if it has more than `maxBytes`. */
  readonly readFile: (path: string, maxBytes: number) => Effect.Effect<Uint8Array, FileUnreadable>
  /** Opens a file of the host, or stdin for `-`, whose bytes are read on demand. */
  readonly openFile: (
    path: string
  ) => Effect.Effect<Stream.Stream<Uint8Array, FileUnreadable>, FileUnreadable, Scope.Scope>
  /** The absolute path of a host path that is relative to the working directory. */
  readonly resolvePath: (path: string) => string
  /** `$PYRO_WORKSPACE`: the workspace of commands that name none. */
  readonly workspace: string | undefined
  /** A variable of pyro's own environment. */
  readonly variable: (name: string) => string | undefined
  /** `$TERM`, if it is set. */
  readonly type: string | undefined
}>()("pyro/cli/Terminal") {}
