import { Context, Data, type Effect, type Scope, type Stream } from "effect"
import type { WindowSize } from "../contract/rows/run-input.ts"

/** Stdout takes no more bytes: the reader of the pipe has gone (`EPIPE`), or for instance the disk is full (`ENOSPC`). */
export class OutputClosed extends Data.TaggedError("OutputClosed")<{
  readonly code: string
  /** The terminal behind stdout has hung up. */
  readonly isHungUp: boolean
}> {}

/** A file that was named on the command line and cannot be read; the detail begins with its path. */
export class FileUnreadable extends Data.TaggedError("FileUnreadable")<{ readonly detail: string }> {}

/** The process's three streams and its terminal, as far as the CLI needs them. */
export class Terminal extends Context.Service<Terminal, {
  readonly stdinIsTerminal: boolean
  /** Stdin is /dev/null. */
  readonly stdinIsNull: boolean
  readonly stdoutIsTerminal: boolean
  readonly stderrIsTerminal: boolean
  /** Whether stdout shows colours, and is to: a terminal, and no `NO_COLOR`. */
  readonly colour: boolean
  /** Writes and waits until the reader keeps up. */
  readonly writeStdout: (bytes: Uint8Array | string) => Effect.Effect<void, OutputClosed>
  /** Like `writeStdout`. Does nothing if stderr is closed. */
  readonly writeStderr: (bytes: Uint8Array | string) => Effect.Effect<void>
  /** The whole of stdin; nothing is read before it is pulled. Empty for a terminal in whose background we are. */
  readonly stdin: Stream.Stream<Uint8Array>
  readonly size: Effect.Effect<WindowSize>
  /** The terminal's size, each time it changes. */
  readonly resizes: Stream.Stream<WindowSize>
  /**
   * Until the scope closes, the first signal that would end pyro ends the wait given here instead: a running command is asked to end,
   * and is heard until it has. A later one ends pyro.
   */
  readonly interceptSignal: Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
  /** Hands every key to the guest, Ctrl-C too, until the scope closes or the process exits. */
  readonly raw: Effect.Effect<void, never, Scope.Scope>
  /**
   * Restores the terminal from the modes that a guest's program asks for, when the Scope closes, and also when pyro is killed. Told of
   * switches to and from the alternate screen.
   */
  readonly guard: Effect.Effect<(isAlternate: boolean) => void, never, Scope.Scope>
  /** Reads a file of the host, or stdin for `-`. Fails if it has more than `maxBytes`. */
  readonly readFile: (path: string, maxBytes: number) => Effect.Effect<Uint8Array, FileUnreadable>
  /** A path of the host as it is from here, absolute. */
  readonly resolvePath: (path: string) => string
  /** `$PYRO_WORKSPACE`: the workspace that commands are about when they name none. */
  readonly workspace: string | undefined
  /** A variable of pyro's own environment. */
  readonly variable: (name: string) => string | undefined
  /** `$TERM`, if it is set. */
  readonly type: string | undefined
}>()("pyro/cli/Terminal") {}
