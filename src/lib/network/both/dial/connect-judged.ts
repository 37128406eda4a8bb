import * as net from "node:net"
import type { Socket } from "node:net"
import { startTimer } from "../../../../system/waits/signal.ts"
import { type Address, deniedRangeOf, ownAddressesOnce, readAddress } from "../../model/address.ts"
import { type AddressRules, type Denied, judgeAddress } from "../../model/judge.ts"
import { connectRefusal, Refusal } from "./refusal.ts"
import { Slots } from "./slots.ts"

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
 * Connects to the first address that answers (RFC 8305), and tells how that ended, once. No byte of the socket is read. After a call of the
 * returned function, the attempts are over and `settle` is not called.
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

/** Attempts wait for hosts and proxies that answer nothing. */
export const connectSlots = () => new Slots({ limit: 1_024, perGroup: 256 })

export interface JudgedTarget {
  /** Name that resolved to the addresses; undefined: the client asked for the one address itself. */
  readonly name: string | undefined
  readonly port: number
  readonly group: string
  readonly rules: AddressRules
}

const denied = ({ remedy, reason }: Denied) => new Refusal("denied", reason, remedy)

/** The addresses that policy allows, in the order of attempts; a refusal if there is none, and one was denied. */
export const judgeFound = (
  found: ReadonlyArray<string>,
  { name, port, rules }: Pick<JudgedTarget, "name" | "port" | "rules">
): ReadonlyArray<string> | Refusal => {
  const own = ownAddressesOnce()
  const verdicts = found.map((address) => judgeAddress(rules, address, port, own))
  const allowed = verdicts.flatMap((verdict) => verdict._tag === "Allowed" ? [verdict.host] : [])
  const [denial] = verdicts.flatMap((verdict) => verdict._tag === "Denied" ? [verdict] : [])
  if (allowed.length > 0 || denial === undefined) return interleaved(allowed)
  return denied(
    name === undefined
      ? denial
      : { ...denial, reason: `${name} resolves to an address that is denied: ${denial.reason}` }
  )
}

/**
 * Judges every address, connects to the judged ones, and tells how that ended, once. It calls `connect()` before it returns if a
 * slot is free. After a call of the returned function, the attempts are over and `settle` is not called.
 */
export const connectJudged = (
  slots: Slots,
  found: ReadonlyArray<string>,
  { group, name, port, rules }: JudgedTarget,
  settle: (outcome: FirstConnected | Refusal) => void
): () => void => {
  const allowed = judgeFound(found, { name, port, rules })
  if (allowed instanceof Refusal) {
    settle(allowed)
    return () => {}
  }
  let stop = () => {}
  const leave = slots.enter(group, (leave) => {
    stop = startConnecting(allowed, port, (outcome) => {
      leave()
      settle(outcome instanceof Refusal ? outcome : judgeConnected(outcome, rules, port))
    })
  })
  return () => {
    stop()
    leave()
  }
}

/** Judges the address once more, by the connection. */
const judgeConnected = (connected: FirstConnected, rules: AddressRules, port: number): FirstConnected | Refusal => {
  const { address, socket } = connected
  const verdict = judgeAddress(rules, address, port, () => itself(socket))
  if (verdict._tag === "Allowed") return connected
  socket.destroy()
  return denied(verdict)
}

/**
 * The address of a connection from an address to itself: that is an address of this host, also one that no interface has (a `local`
 * route), or that an interface got after the judgement.
 */
export const itself = (
  { localAddress, remoteAddress }: Pick<Socket, "localAddress" | "remoteAddress">
): ReadonlyArray<Address> => {
  const address = remoteAddress === undefined ? undefined : readAddress(remoteAddress)
  const isItself = address !== undefined && localAddress === remoteAddress
  return isItself && deniedRangeOf(address)?.kind !== "a loopback address" ? [address] : []
}

/** A promise of the outcome that `start` tells. `start` returns what stops it. An abort stops it, and rejects with its reason. */
export const promised = <A>(
  signal: AbortSignal,
  start: (settle: (outcome: A | Refusal) => void) => () => void
): Promise<A> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const abort = () => {
      stop()
      reject(signal.reason)
    }
    signal.addEventListener("abort", abort)
    const stop = start((outcome) => {
      signal.removeEventListener("abort", abort)
      if (outcome instanceof Refusal) reject(outcome)
      else resolve(outcome)
    })
  })
