import * as net from "node:net"
import { startTimer } from "../../system/waits/timer.ts"
import { connectRefusal, Refusal } from "./refusal.ts"

/** Time that one address has for itself before the next is tried beside it, in ms (RFC 8305, 5). */
const ATTEMPT_DELAY_MS = 250

/** Maximum addresses of one name that are tried. */
const MAX_ADDRESSES = 16

/** Alternates the families, beginning with that of the first address: the resolver has ordered them (RFC 8305, 4). */
export const interleaved = (addresses: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (addresses.length === 1) return addresses
  const first = addresses.filter((one) => net.isIP(one) === net.isIP(addresses[0]!))
  const second = addresses.filter((one) => !first.includes(one))
  return Array.from({ length: Math.max(first.length, second.length) })
    .flatMap((_, at) => [first[at], second[at]].filter((one) => one !== undefined))
    .slice(0, MAX_ADDRESSES)
}

/** Rank of failures for the report: a refusal shows that the server exists. */
const WEIGHT = { refused: 3, timeout: 2, failed: 1, unreachable: 0, unresolved: 0, denied: 0 } as const

export interface FirstConnected {
  readonly socket: net.Socket
  readonly address: string
}

/**
 * Connects to the first address that answers (RFC 8305), and tells how that ended, once. No byte of the socket is read. The returned
 * function destroys every attempt that goes on, and has nothing told.
 */
export const startConnecting = (
  addresses: ReadonlyArray<string>,
  port: number,
  settle: (outcome: FirstConnected | Refusal) => void,
  make = () => new net.Socket({ allowHalfOpen: true })
): () => void => {
  const waiting = [...addresses]
  const attempts = new Set<net.Socket>()
  let worst: Refusal | undefined
  let timer: { readonly cancel: () => void } | undefined
  const stop = (keep?: net.Socket) => {
    timer?.cancel()
    waiting.length = 0
    for (const socket of attempts) if (socket !== keep) socket.destroy()
    attempts.clear()
  }
  const tryNext = () => {
    timer?.cancel()
    const address = waiting.shift()
    if (address === undefined) {
      if (attempts.size === 0) settle(worst ?? new Refusal("unresolved", "the name has no address"))
      return
    }
    const socket = make()
    attempts.add(socket)
    socket.pause()
    socket.once("connect", () => {
      if (!attempts.has(socket)) return
      stop(socket)
      settle({ socket, address })
    })
    socket.on("error", (error) => {
      if (!attempts.delete(socket)) return
      const refusal = connectRefusal(address, error)
      if (worst === undefined || WEIGHT[refusal.failure] > WEIGHT[worst.failure]) worst = refusal
      tryNext()
    })
    if (waiting.length > 0) timer = startTimer(ATTEMPT_DELAY_MS, tryNext)
    socket.connect({ host: address, port, noDelay: true })
  }
  tryNext()
  return stop
}
