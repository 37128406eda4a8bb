import { Effect } from "effect"
import type { Socket } from "node:net"
import { Duplex } from "node:stream"
import { Agent } from "./agent.ts"
import { openUnixSocket } from "./unix-socket.ts"

/** Where a connection breaks: after so many bytes in either direction. */
export interface Cut {
  readonly toAgent?: number
  readonly fromAgent?: number
}

/** A connection that passes on just so many bytes, and then is gone; it also records what the host sent. */
export class CuttingSocket extends Duplex {
  readonly #socket: Socket
  #toAgent: number
  #fromAgent: number
  readonly sent: Array<Buffer> = []
  receivedBytes = 0

  constructor(socket: Socket, cut: Cut) {
    super()
    this.#socket = socket
    this.#toAgent = cut.toAgent ?? Infinity
    this.#fromAgent = cut.fromAgent ?? Infinity
    socket.on("data", (chunk: Buffer) => this.#receive(chunk))
    socket.on("close", () => this.destroy())
    socket.on("error", () => this.destroy())
    this.on("error", () => {})
    if (this.#toAgent === 0 || this.#fromAgent === 0) socket.end()
  }

  get sentBytes() {
    return this.sent.reduce((sum, { length }) => sum + length, 0)
  }

  #receive(chunk: Buffer) {
    const passed = chunk.subarray(0, this.#fromAgent)
    this.#fromAgent -= passed.length
    this.receivedBytes += passed.length
    if (!this.destroyed) this.push(passed)
    if (this.#fromAgent === 0) this.#socket.destroy()
  }

  override _read() {}

  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    const passed = chunk.subarray(0, this.#toAgent)
    this.#toAgent -= passed.length
    this.sent.push(Buffer.from(passed))
    // Ending rather than destroying: the agent is to get every byte up to the cut.
    if (this.#toAgent === 0) this.#socket.end(passed, done)
    else this.#socket.write(passed, done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void) {
    if (this.#socket.closed) return done(error)
    this.#socket.once("close", () => done(error))
    this.#socket.destroySoon()
  }
}

/** Opens a connection to the agent that breaks at `cut`. */
export const openCutting = (cut: Cut, onOpen: (socket: CuttingSocket) => void = () => {}) =>
  Effect.flatMap(Agent, ({ socketPath }) =>
    Effect.map(openUnixSocket(socketPath), (socket) => {
      const cutting = new CuttingSocket(socket, cut)
      onOpen(cutting)
      return cutting
    }))
