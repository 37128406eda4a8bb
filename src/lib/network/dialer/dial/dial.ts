import type { Socket } from "node:net"
import { connectJudged, connectSlots, type FirstConnected, promised } from "../../both/dial/connect-judged.ts"
import type { DialMessage } from "../../both/dial/protocol.ts"
import { Refusal } from "../../both/dial/refusal.ts"
import { type AddressRules, judgeAddress } from "../../model/judge.ts"
import { LOOPBACK, THIS_HOST } from "../../model/name.ts"
import { isBadRule, parseIpRule } from "../../model/rule.ts"
import { forwardThrough } from "./forward.ts"
import { proxyFor } from "./proxy.ts"
import { addressesOf, isInside } from "./resolve.ts"
import { connectThrough, NoTunnel } from "./tunnel.ts"

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
  const asked = proxy.kind === "socks5" && name !== undefined ? await judgedAddressOf(request, signal) : host
  const target = { host: asked, port, group }
  const connected = await slots.proxies.run(group, signal, () => connectThrough(proxy, target, signal)).catch(
    (error: unknown) => {
      // Proxies of companies often make tunnels to port 443 alone, and answer plain requests of port 80.
      if (port !== HTTP_PORT || !(error instanceof NoTunnel)) throw error
      return slots.proxies.run(group, signal, () => forwardThrough(proxy, target, signal))
    }
  )
  return { ...connected, viaProxy: true }
}

const HTTP_PORT = 80

/** An address of the name that policy allows, for a proxy that gets no names. */
const judgedAddressOf = async (request: DialMessage, signal: AbortSignal): Promise<string> => {
  const { group, name, port } = request
  const verdicts = (await addressesOf(name!, group, signal)).map((address) =>
    judgeAddress(rulesOf(request), address, port)
  )
  const allowed = verdicts.find((verdict) => verdict._tag === "Allowed")
  if (allowed?._tag === "Allowed") return allowed.host
  const [denial] = verdicts
  throw new Refusal(
    "denied",
    `${name} resolves to an address that is denied: ${denial?._tag === "Denied" ? denial.reason : ""}`
  )
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
