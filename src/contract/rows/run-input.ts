import type { Effect, Stream } from "effect"

export interface WindowSize {
  readonly rows: number
  readonly cols: number
}

/** Where the stdin of a command goes. */
export interface StdinWriter {
  /** Takes all of the bytes at once, or none of them. */
  readonly tryWrite: (bytes: Uint8Array) => boolean
  /** Waits until the guest takes the bytes. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, unknown>
}

/** What flows into a running command while it runs. */
export interface RunInput {
  /** The command's stdin, pulled only as fast as the guest takes it; its end closes the guest's stdin. None: /dev/null. */
  readonly stdin?: Stream.Stream<Uint8Array>
  /**
   * Writes `stdin` until its end, in the place of the stream. Bytes of the daemon's clients then reach the guest in the request's own
   * turn of the event loop.
   */
  readonly writeStdin?: (writer: StdinWriter) => Effect.Effect<void, unknown>
  /** New sizes of the caller's terminal, for a command with `tty`. */
  readonly resizes?: Stream.Stream<WindowSize>
  /** Ends when `run`'s command is to be ended as by Ctrl-C: its output flows on until its end. A command with an id is ended by `workspace.cancel`. */
  readonly interrupt?: Effect.Effect<void>
  /** A command that is known already is taken up as by the one who started it: its interruption ends it, stdin flows on. */
  readonly resumed?: boolean
  /** The command ends with its caller, also one with a time to wait, until the caller was told that it goes on. */
  readonly endsWithCaller?: boolean
  /** Asked when a running command's stream is dropped: whether only this process leaves, and the caller is still there. */
  readonly leaving?: Effect.Effect<boolean>
}
