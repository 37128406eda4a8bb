import { Effect, type Stream } from "effect"
import { constants } from "node:os"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import type { Connection } from "../session/connection.ts"
import { errnoName } from "../errno.ts"
import type { Ending } from "../session/ending.ts"
import type { Piece } from "../streams/output-queue.ts"
import { forEachPiece, piecesOf } from "../streams/pieces.ts"
import type { GuestStream } from "../streams/stream.ts"
import { HostMessage, type Message, SignalTarget, STDOUT } from "../wire/messages.ts"

/** Size of a terminal in character cells. */
export interface TerminalSize {
  readonly rows: number
  readonly cols: number
}

export interface ProcessOutput {
  readonly from: "stdout" | "stderr"
  /** Position of the first byte since the process started, per output. */
  readonly offset: number
  readonly bytes: Uint8Array
}

export type ProcessExit = Ending

/** A process in the guest. Closing the scope it was acquired in kills it with all it started, and releases it. */
export interface GuestProcess {
  readonly id: string
  readonly pid: number
  /**
   * What it prints, in the order it came. Has to be read: with a window of unread output the process blocks, and
   * its exit is only told after the end of its output. The guest keeps every byte until the consumer asks for the
   * next ones, so that what a consumer wrote to a log before asking again cannot be lost. One consumer.
   */
  readonly output: Stream.Stream<ProcessOutput, ChannelFailed>
  /**
   * The same, handed to `f` piece by piece until all outputs end: faster than the stream and with less memory. `take` gets each piece first,
   * in the turn of its arrival, and leaves a piece to `f` by `false`.
   */
  readonly forEachOutput: <E, R>(
    f: (output: ProcessOutput) => Effect.Effect<unknown, E, R>,
    take?: (output: ProcessOutput) => boolean
  ) => Effect.Effect<void, ChannelFailed | E, R>
  /** The guest keeps output from this position on, also after the consumer has asked for more. @default nothing is kept */
  readonly keepFrom: (output: ProcessOutput["from"], position: number) => void
  /** Input bytes that the guest has already; not 0 only after `adopt`. */
  readonly stdinOffset: number
  /** Input bytes that were sent to the guest so far. An interrupted write has sent a part. */
  readonly stdinSent: () => number
  /** Waits while the process does not read. Ends well when it no longer can read. */
  readonly writeStdin: (bytes: Uint8Array) => Effect.Effect<void, ChannelFailed>
  /** Writes all of the bytes to the channel's socket before it returns, or none of them: then `writeStdin` has to wait. */
  readonly tryWriteStdin: (bytes: Uint8Array) => boolean
  /** Ends the input after all earlier writes. Later writes are dropped. */
  readonly endStdin: Effect.Effect<void, ChannelFailed>
  readonly resize: (size: TerminalSize) => Effect.Effect<void, ChannelFailed>
  /** Signals the process, or the group in the foreground of its terminal. */
  readonly signal: (
    signal: number | NodeJS.Signals,
    target?: "process" | "group"
  ) => Effect.Effect<void, ChannelFailed>
  /** Kills the process and its children. After its end, and before its release, kills its background children. */
  readonly kill: Effect.Effect<void, ChannelFailed>
  readonly exit: Effect.Effect<ProcessExit, ChannelFailed>
  /** Does now what the end of the scope does: kills a running process and releases it in the guest. For a launched process. */
  readonly release: Effect.Effect<void>
}

const outputOf = ({ bytes, offset, output }: Piece): ProcessOutput => ({
  from: output === STDOUT ? "stdout" : "stderr",
  offset,
  bytes
})

export const cells = (count: number) => Math.min(Math.max(Math.trunc(count), 0), 0xffff)

/**
 * The process behind a stream that has started. Every command makes one and uses two or three of its parts, so those are made when
 * they are asked for; they are functions of their own, and may be handed on without it.
 */
export class StreamedProcess implements GuestProcess {
  readonly id: string
  readonly pid: number
  readonly stdinOffset: number
  readonly #connection: Connection
  readonly #stream: GuestStream

  constructor(
    connection: Connection,
    stream: GuestStream,
    known: { readonly id: string; readonly pid: number; readonly stdinOffset: number }
  ) {
    this.#connection = connection
    this.#stream = stream
    this.id = known.id
    this.pid = known.pid
    this.stdinOffset = known.stdinOffset
  }

  get output() {
    return piecesOf(this.#stream, outputOf)
  }

  get forEachOutput(): GuestProcess["forEachOutput"] {
    return (f, take) => forEachPiece(this.#stream, outputOf, f, take)
  }

  get keepFrom(): GuestProcess["keepFrom"] {
    return (output, position) => this.#stream.keepFrom(output === "stdout" ? STDOUT : 2, position)
  }

  get stdinSent(): GuestProcess["stdinSent"] {
    return () => this.#stream.input.sent
  }

  get writeStdin(): GuestProcess["writeStdin"] {
    return (bytes) => this.#stream.input.write(bytes)
  }

  get tryWriteStdin(): GuestProcess["tryWriteStdin"] {
    return (bytes) => {
      const isTaken = this.#stream.input.tryWrite(bytes)
      if (isTaken) this.#connection.outbox.flush()
      return isTaken
    }
  }

  get endStdin() {
    return Effect.suspend(() => this.#stream.input.end())
  }

  get resize(): GuestProcess["resize"] {
    return ({ cols, rows }) => this.#send(HostMessage.Resize, { rows: cells(rows), cols: cells(cols) })
  }

  get signal(): GuestProcess["signal"] {
    return (signal, target = "process") =>
      this.#send(HostMessage.Signal, {
        target: target === "group" ? SignalTarget.group : SignalTarget.main,
        signal: typeof signal === "number" ? signal : constants.signals[signal]
      })
  }

  get kill() {
    const everything = { target: SignalTarget.everything, signal: constants.signals.SIGKILL }
    return this.#send(HostMessage.Signal, everything, { alsoEnded: true })
  }

  get exit() {
    return Effect.mapError(this.#stream.ended.wait, (error) =>
      error._tag === "refused"
        ? new ChannelFailed({
          detail: `the guest gave up on process ${this.pid}: ${errnoName(error.errno)} (${error.step})`
        })
        : error)
  }

  get release() {
    return Effect.sync(() => this.#connection.release(this.#stream))
  }

  #send<A>(message: Message<A>, value: A, { alsoEnded = false } = {}) {
    return Effect.andThen(
      this.#connection.outbox.room,
      Effect.suspend(() => {
        if (this.#connection.failure !== undefined) return Effect.fail(this.#connection.failure)
        if (alsoEnded || !this.#stream.isEnded) this.#stream.send(message, value)
        return Effect.void
      })
    )
  }
}
