import type { Socket } from "node:net"
import { type Address, deniedRangeOf, ownAddressesOnce, readAddress } from "../address.ts"
import { type AddressRules, type Denied, judgeAddress } from "../judge.ts"
import { type FirstConnected, interleaved, startConnecting } from "./happy-eyeballs.ts"
import { Refusal } from "./refusal.ts"
import { Slots } from "./slots.ts"

/** Attempts wait for hosts and proxies that answer nothing. */
export const connectSlots = () => new Slots({ limit: 1_024, perGroup: 256 })

export interface JudgedTarget {
  /** Name that resolved to the addresses; undefined: the client asked for the one address itself. */
  readonly name: string | undefined
  readonly port: number
  readonly group: string
  readonly rules: AddressRules
}

const denied = ({ option, reason }: Denied) => new Refusal("denied", reason, option)

/**
 * Judges every address, connects to the judged ones, and tells how that ended, once. It waits for nothing before `connect()` where a slot
 * is free. The returned function stops the attempts, and has nothing told.
 */
export const connectJudged = (
  slots: Slots,
  found: ReadonlyArray<string>,
  { group, name, port, rules }: JudgedTarget,
  settle: (outcome: FirstConnected | Refusal) => void
): () => void => {
  const own = ownAddressesOnce()
  const verdicts = found.map((address) => judgeAddress(rules, address, port, own))
  const allowed = verdicts.flatMap((verdict) => verdict._tag === "Allowed" ? [verdict.host] : [])
  const [denial] = verdicts.flatMap((verdict) => verdict._tag === "Denied" ? [verdict] : [])
  if (allowed.length === 0 && denial !== undefined) {
    settle(denied(
      name === undefined
        ? denial
        : { ...denial, reason: `${name} resolves to an address that is denied: ${denial.reason}` }
    ))
    return () => {}
  }
  let stop = () => {}
  const leave = slots.enter(group, (leave) => {
    stop = startConnecting(interleaved(allowed), port, (outcome) => {
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
const itself = ({ localAddress, remoteAddress }: Socket): ReadonlyArray<Address> => {
  const address = remoteAddress === undefined ? undefined : readAddress(remoteAddress)
  const isItself = address !== undefined && localAddress === remoteAddress
  return isItself && deniedRangeOf(address)?.kind !== "a loopback address" ? [address] : []
}
