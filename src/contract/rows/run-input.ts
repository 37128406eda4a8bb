import type { Effect, Stream } from "effect"

export interface WindowSize {
  readonly rows: number
  readonly cols: number
}

/** Writes the stdin of a command. */
export interface StdinWriter {
  /** Takes all of the bytes at once, or none of them. */
  readonly tryWrite: (bytes: Uint8Array) => boolean
  /** Waits until the guest takes the bytes. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, unknown>
}

/** Input of a running command, and the relation to its caller. */
export interface RunInput {
  /** The command's stdin, pulled as fast as the guest takes it. Its end closes the guest's stdin. Absent: /dev/null. */
  readonly stdin?: Stream.Stream<Uint8Array>
  /**
   * Writes `stdin` until its end, in place of the stream. Bytes of the daemon's clients then reach the guest in the request's own turn of
   * the event loop.
   */
  readonly writeStdin?: (writer: StdinWriter) => Effect.Effect<void, unknown>
  /** New sizes of the caller's terminal, for a command with `tty`. */
  readonly resizes?: Stream.Stream<WindowSize>
  /** Ends to interrupt `run`'s command as Ctrl-C does. The output continues until the command's end. `workspace.cancel` ends a command with an id. */
  readonly interrupt?: Effect.Effect<void>
  /** A known command is resumed as by its first caller: an interruption ends it, and stdin continues. */
  readonly resumed?: boolean
  /** The command ends with its caller, until the caller knows that the command outlives the call. */
  readonly endsWithCaller?: boolean
  /**
   * The events are the start and the end of the command, without output. Other requests read the output by the command's id, and unread
   * output neither fills a connection nor stops the command.
   */
  readonly withoutOutput?: boolean
  /** After its first event, the request does not keep the caller's process alive. */
  readonly isBackground?: boolean
  /** Whether a dropped stream means that this process leaves, and not the caller. */
  readonly leaving?: Effect.Effect<boolean>
}
