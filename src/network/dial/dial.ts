import type { Socket } from "node:net"
import { type AddressRules, judgeAddress } from "../judge.ts"
import { LOOPBACK, THIS_HOST } from "../name.ts"
import { isBadRule, parseIpRule } from "../rule.ts"
import { connectJudged, connectSlots, type FirstConnected, promised } from "./connect-judged.ts"
import type { DialMessage } from "./protocol.ts"
import { connectThrough, proxyFor } from "./proxy.ts"
import { addressesOf, isInside } from "./resolve.ts"

export interface Connected {
  readonly socket: Socket
  readonly address: string
  readonly viaProxy: boolean
  /** Bytes that came with a proxy's answer, in base64. */
  readonly head: string
}

// The dial process is one Dialler's.
const slots = { hosts: connectSlots(), proxies: connectSlots() }

/** Connects as one request asks: to the judged address, or through the person's proxy. */
export const dial = async (request: DialMessage, signal: AbortSignal): Promise<Connected> => {
  const { address, group, name, port, proxies } = request
  if (name === THIS_HOST) return dialDirectly(ofThisHost(request), signal, LOOPBACK)
  const host = name ?? address!
  const proxy = proxyFor(proxies, host, port)
  if (proxy === undefined) return dialDirectly(request, signal)
  // A rule may name the address; the proxy would reach another host of that address.
  if (name === undefined ? isPrivate(host) : await isInside(name, group, signal)) return dialDirectly(request, signal)
  const connected = await slots.proxies.run(group, signal, () => connectThrough(proxy, { host, port, group }, signal))
  return { ...connected, viaProxy: true }
}

const isPrivate = (text: string) => judgeAddress({ allowIps: [] }, text, 0)._tag === "Denied"

const rulesOf = ({ allowIps }: DialMessage): AddressRules => ({
  allowIps: allowIps.flatMap((text) => {
    const rule = parseIpRule(text)
    return isBadRule(rule) ? [] : [rule]
  })
})

/** The daemon has judged the port of a service of this host. */
const ofThisHost = (request: DialMessage): DialMessage => ({
  ...request,
  allowIps: LOOPBACK.map((address) => `${address.includes(":") ? `[${address}]` : address}:${request.port}`)
})

/** Resolves the name once, judges every address, and connects to the judged ones. */
const dialDirectly = async (
  request: DialMessage,
  signal: AbortSignal,
  known?: ReadonlyArray<string>
): Promise<Connected> => {
  const { group, name, port } = request
  const found = known ?? (name === undefined ? [request.address!] : await addressesOf(name, group, signal))
  const target = { name, port, group, rules: rulesOf(request) }
  const connected = await promised<FirstConnected>(
    signal,
    (settle) => connectJudged(slots.hosts, found, target, settle)
  )
  return { ...connected, viaProxy: false, head: "" }
}
