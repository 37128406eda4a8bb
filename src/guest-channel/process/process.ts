import { Effect } from "effect"
import { constants } from "node:os"
import { ChannelFailed } from "../../contract/errors/errors.ts"
import { errnoName } from "../errors.ts"
import type { GuestProcess, ProcessOutput } from "../process.ts"
import type { Connection } from "../session/connection.ts"
import type { Piece } from "../streams/output-queue.ts"
import { forEachPiece, piecesOf } from "../streams/pieces.ts"
import type { GuestStream } from "../streams/stream.ts"
import { HostMessage, type Message, SignalTarget, STDOUT } from "../wire/messages.ts"

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
