import { Effect } from "effect"
import type * as Socket from "effect/socket/Socket"
import type { connectUnix, LineSocket, ReadInto } from "../../system/processes/unix-socket.ts"

/** Bytes of one read. */
const READ_BYTES = 131_072

type NodeSocket = Effect.Success<ReturnType<typeof connectUnix>>
type Chunk = readonly [Uint8Array]
type Pulled = Effect.Effect<Chunk, Socket.SocketError>

const readsOf = new WeakMap<object, ReusedReads>()

/**
 * Reads of a connection that all use one memory. Node makes 64 KiB for each read, and V8 collects all garbage of a program after some 20 MiB
 * of them. A reader that pulls has used the bytes before.
 */
export class ReusedReads {
  #socket: NodeSocket | undefined
  /** Bytes that no reader waited for. */
  #held: Uint8Array | undefined
  #waiter: ((pulled: Pulled) => void) | undefined
  #end: Pulled | undefined
  /** The socket reads nothing until the next pull. */
  #isPaused = true

  /** Node's option for the connection. */
  readonly onread: ReadInto = {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback: (count, buffer) => this.#arrived(buffer.subarray(0, count))
  }

  /** The connection that has the option. */
  isOf(socket: NodeSocket) {
    this.#socket = socket
    readsOf.set(socket, this)
  }

  /** Gives whether the socket reads on. */
  #arrived(chunk: Uint8Array) {
    const resume = this.#waiter
    this.#waiter = undefined
    if (resume === undefined) this.#held = chunk
    else resume(Effect.succeed([chunk]))
    // A reader that has used the bytes waits again.
    this.#isPaused = this.#waiter === undefined
    return !this.#isPaused
  }

  ended(how: Pulled) {
    this.#end ??= how
    this.#waiter?.(how)
    this.#waiter = undefined
  }

  readonly pull: Pulled = Effect.callback<Chunk, Socket.SocketError>((resume) => {
    const held = this.#held
    this.#held = undefined
    if (held !== undefined) return resume(Effect.succeed([held]))
    if (this.#end !== undefined) return resume(this.#end)
    this.#waiter = resume
    if (this.#isPaused) this.#socket?.resume()
    this.#isPaused = false
    return Effect.sync(() => {
      if (this.#waiter === resume) this.#waiter = undefined
    })
  })
}

/** The same socket. If its connection has reads of its own, they replace the socket's, and the library's pull reports only the end. */
export const withReusedReads = (socket: Socket.Socket, connection: () => LineSocket | undefined): Socket.Socket => ({
  ...socket,
  reader: Effect.gen(function*() {
    const { pull, upgrade } = yield* socket.reader
    const connected = connection()
    const reads = connected && readsOf.get(connected)
    if (connected === undefined || reads === undefined) return { pull, upgrade }
    // No byte comes to the library's listener. Bun reads nothing after a pause while a socket has such a listener.
    connected.removeAllListeners("readable")
    const ended = Effect.forever(pull).pipe(
      Effect.catchCause((cause) => Effect.sync(() => reads.ended(Effect.failCause(cause))))
    )
    yield* Effect.forkScoped(ended)
    return { pull: reads.pull, upgrade }
  })
})
