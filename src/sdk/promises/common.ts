/** Options of every call. */
export interface Cancel {
  /** An abort ends the work, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Bytes from a workspace, in memory of their own. */
export type Bytes = Uint8Array<ArrayBuffer>

/** Values as they arrive: a WHATWG stream, and an async iterable. */
export type EventStream<A> = ReadableStream<A> & AsyncIterable<A>

/** Bytes as they arrive: a WHATWG stream, and an async iterable. pyro reads ahead only a few pieces. */
export type ByteStream = EventStream<Bytes>

/** Input as it is written: a WHATWG stream of text (UTF-8) and bytes. A write is done when the guest has the bytes. */
export type ByteSink = WritableStream<string | Uint8Array>

/** Input of a command, whole or in pieces, text as UTF-8. */
export type Input = string | Uint8Array | AsyncIterable<string | Uint8Array>

/** A program with its arguments (`["git", "status"]`), or a script for the shell (`"git status | head"`). */
export type Command = string | ReadonlyArray<string>

/** Name of a signal of Linux, such as `SIGTERM`. */
export type SignalName = string

/** How a command ended. */
export interface Ended {
  /** Exit status: the command's own, 128 + n after signal n, 124 after the timeout, 137 if the guest ran out of memory. */
  readonly status: number
  /** Name of the signal that ended the command, such as `SIGKILL`. Null if no signal did. */
  readonly signal: SignalName | null
  /** How the command ended: by itself, by a signal, by its timeout, or for want of guest memory. */
  readonly outcome: "exited" | "signaled" | "timed_out" | "out_of_memory"
  /** Time from the command's start to its end, in ms. */
  readonly durationMs: number
}
