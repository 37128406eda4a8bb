import type { Socket } from "node:net"
import { type Address, readAddress } from "../address/address.ts"
import { ownAddresses } from "../address/own.ts"
import { deniedRangeOf } from "../address/ranges.ts"
import { type AddressRules, type Denied, judgeAddress } from "../policy/judge.ts"
import { isBadRule, parseIpRule } from "../policy/rule.ts"
import { connectFirst, interleaved } from "./happy-eyeballs.ts"
import { isInside } from "./private-names.ts"
import type { DialMessage } from "./protocol.ts"
import { proxyFor } from "./proxy-settings.ts"
import { connectThrough } from "./proxy.ts"
import { Refusal } from "./refusal.ts"
import { addressesOf } from "./resolve.ts"
import { Slots } from "./slots.ts"

export interface Connected {
  readonly socket: Socket
  readonly address: string
  readonly viaProxy: boolean
  /** Bytes that came with a proxy's answer, in base64. */
  readonly head: string
}

/** Attempts wait for hosts that answer nothing. */
const slots = new Slots({ limit: 1_024, perGroup: 256 })

/** Connects as one request asks: to the judged address, or through the person's proxy. */
export const dial = async (request: DialMessage, signal: AbortSignal): Promise<Connected> => {
  const { address, group, name, port, proxies } = request
  const host = name ?? address!
  const proxy = proxyFor(proxies, host, port)
  if (proxy === undefined) return dialDirectly(request, signal)
  // A rule may name the address; the proxy would reach another host of that address.
  if (name === undefined ? isPrivate(host) : await isInside(name, group, signal)) return dialDirectly(request, signal)
  const connected = await slots.run(group, signal, () => connectThrough(proxy, { host, port, group }, signal))
  return { ...connected, viaProxy: true }
}

const isPrivate = (text: string) => judgeAddress({ allowIps: [] }, text, 0, ownAddresses())._tag === "Denied"

const rulesOf = ({ allowIps }: DialMessage): AddressRules => ({
  allowIps: allowIps.flatMap((text) => {
    const rule = parseIpRule(text)
    return isBadRule(rule) ? [] : [rule]
  })
})

const denied = ({ option, reason }: Denied) => new Refusal("denied", reason, option)

/** Resolves the name once, judges every address, and connects to the judged ones. */
const dialDirectly = async (request: DialMessage, signal: AbortSignal): Promise<Connected> => {
  const { group, name, port } = request
  const rules = rulesOf(request)
  const found = name === undefined ? [request.address!] : await addressesOf(name, group, signal)
  const own = ownAddresses()
  const verdicts = found.map((address) => judgeAddress(rules, address, port, own))
  const allowed = verdicts.flatMap((verdict) => verdict._tag === "Allowed" ? [verdict.host] : [])
  const [denial] = verdicts.flatMap((verdict) => verdict._tag === "Denied" ? [verdict] : [])
  if (allowed.length === 0 && denial !== undefined) {
    throw denied(
      name === undefined
        ? denial
        : { ...denial, reason: `${name} resolves to an address that is denied: ${denial.reason}` }
    )
  }
  const { address, socket } = await slots.run(group, signal, () => connectFirst(interleaved(allowed), port, signal))
  const verdict = judgeAddress(rules, address, port, itself(socket))
  if (verdict._tag === "Allowed") return { socket, address, viaProxy: false, head: "" }
  socket.destroy()
  throw denied(verdict)
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
