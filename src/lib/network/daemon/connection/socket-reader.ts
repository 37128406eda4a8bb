import { Effect } from "effect"
import type { Socket } from "node:net"
import { Signal, waitFor } from "../../../../system/waits/signal.ts"

type Chunks = ReadonlyArray<Buffer> | undefined

/** Reads a socket piece by piece, as far ahead as `maxUnreadBytes`. One reader at a time. */
export class SocketReader {
  readonly #socket: Socket
  readonly #maxUnreadBytes: number
  #chunks: Array<Buffer> = []
  #bytes = 0
  #isEnded = false
  #wake: ((chunks: Chunks) => void) | undefined
  /** The reason, once the connection was reset or lost. */
  readonly failed = new Signal<string>()

  constructor(socket: Socket, maxUnreadBytes: number) {
    this.#socket = socket
    this.#maxUnreadBytes = maxUnreadBytes
    socket.on("data", this.#onData).on("end", this.#onEnd).on("error", this.#onError).on("close", this.#onClose)
    // A socket that was destroyed before has no event left.
    if (socket.destroyed) this.#onClose()
    else socket.resume()
  }

  /** The next pieces; undefined at the end. Pending for ever after a failure, which `failed` tells. */
  readonly next: Effect.Effect<Chunks> = waitFor((resume) => {
    const chunks = this.#take()
    if (chunks !== null) return resume(Effect.succeed(chunks))
    this.#wake = (chunks) => resume(Effect.succeed(chunks))
    return Effect.sync(() => (this.#wake = undefined))
  })

  close() {
    this.#socket.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose)
  }

  /** `null` while there is nothing. */
  #take(): Chunks | null {
    if (this.#chunks.length === 0) return this.#isEnded ? undefined : null
    const chunks = this.#chunks
    this.#chunks = []
    this.#bytes = 0
    if (this.#socket.isPaused()) this.#socket.resume()
    return chunks
  }

  #deliver() {
    const wake = this.#wake
    if (wake === undefined) return
    const chunks = this.#take()
    if (chunks === null) return
    this.#wake = undefined
    wake(chunks)
  }

  readonly #onData = (chunk: Buffer) => {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > this.#maxUnreadBytes) this.#socket.pause()
    this.#deliver()
  }

  readonly #onEnd = () => {
    this.#isEnded = true
    this.#deliver()
  }

  readonly #onError = (error: NodeJS.ErrnoException) => this.#lost(error.code ?? error.message)

  readonly #onClose = () => {
    // Both sides that ended close the socket as well.
    if (!this.#socket.readableEnded || !this.#socket.writableFinished) this.#lost("the connection was closed")
  }

  #lost(detail: string) {
    this.failed.send(detail)
  }
}
