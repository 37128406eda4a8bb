import type { Socket } from "node:net"

/** Limits of connections that have shown no token yet. */
export interface PendingLimits {
  /** Maximum of one address, or of one network of 64 bits with IPv6. */
  readonly perAddress: number
  /** Maximum in all. One more takes the place of the oldest. */
  readonly inAll: number
  /** Time in which a connection shows a token, from its first packet on, in ms. */
  readonly timeMs: number
}

/** Where a connection comes from, for a count: one IPv4 address, or the network that one customer has. */
export const originOf = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1]!
  if (!address.includes(":")) return address
  const [head = "", tail] = address.toLowerCase().replace(/%.*$/, "").split("::")
  const left = head === "" ? [] : head.split(":")
  const right = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0")
  return `${[...left, ...zeros, ...right].slice(0, 4).map((one) => one.replace(/^0+(?=.)/, "")).join(":")}::/64`
}

const keyOf = ({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">) =>
  `${remoteAddress ?? ""} ${remotePort ?? 0}`

interface Waiting {
  readonly socket: Socket
  readonly origin: string
  readonly timer: NodeJS.Timeout
}

/**
 * The connections that have shown no token yet. Each is a TCP connection, before TLS: a peer that says nothing costs a socket for `timeMs`, and no more
 * than `perAddress` of them.
 */
export class Pending {
  readonly #waiting = new Map<string, Waiting>()
  readonly #origins = new Map<string, number>()
  readonly #limits: PendingLimits
  /** Connections that were ended before they showed a token. */
  dropped = { perAddress: 0, inAll: 0, time: 0 }

  constructor(limits: PendingLimits) {
    this.#limits = limits
  }

  get size() {
    return this.#waiting.size
  }

  /** Counts a connection. False: it was ended at once. */
  add(socket: Socket): boolean {
    const { inAll, perAddress, timeMs } = this.#limits
    const origin = originOf(socket.remoteAddress ?? "")
    const count = this.#origins.get(origin) ?? 0
    if (count >= perAddress) {
      this.dropped.perAddress++
      socket.destroy()
      return false
    }
    if (this.#waiting.size >= inAll) {
      // The oldest: a peer of good will has shown its token long before.
      const [key, oldest] = this.#waiting.entries().next().value!
      this.dropped.inAll++
      this.#remove(key, oldest)
      oldest.socket.destroy()
    }
    const key = keyOf(socket)
    const timer = setTimeout(() => {
      this.dropped.time++
      socket.destroy()
    }, timeMs)
    const waiting: Waiting = { socket, origin, timer }
    this.#waiting.set(key, waiting)
    this.#origins.set(origin, count + 1)
    socket.once("close", () => this.#remove(key, waiting))
    return true
  }

  /** The connection is in, or its request has its answer: it waits no more. */
  release(socket: Pick<Socket, "remoteAddress" | "remotePort">): void {
    const key = keyOf(socket)
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) this.#remove(key, waiting)
  }

  /** Ends all. */
  close(): void {
    for (const [key, waiting] of [...this.#waiting]) {
      this.#remove(key, waiting)
      waiting.socket.destroy()
    }
  }

  #remove(key: string, waiting: Waiting) {
    if (this.#waiting.get(key) !== waiting) return
    this.#waiting.delete(key)
    clearTimeout(waiting.timer)
    const left = (this.#origins.get(waiting.origin) ?? 1) - 1
    if (left === 0) this.#origins.delete(waiting.origin)
    else this.#origins.set(waiting.origin, left)
  }
}
