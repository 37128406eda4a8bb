import type { HarnessV1NetworkSandboxSession } from "@ai-sdk/harness"
import { BlockList, isIPv6 } from "node:net"
import type { NetworkFields } from "pyro/promises"

export type Policy = Parameters<NonNullable<HarnessV1NetworkSandboxSession["setNetworkPolicy"]>>[0]

const partsOf = (cidr: string) => {
  const [address = "", bits = "128"] = cidr.split("/")
  return [address, Number(bits), isIPv6(address) ? "ipv6" : "ipv4"] as const
}

/** Addresses that no policy of pyro reaches without a rule of its own for them. */
const CLOSED = [
  "10.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fc00::/7",
  "fe80::/10"
]
  .map((cidr) => {
    const [net, bits, family] = partsOf(cidr)
    const list = new BlockList()
    list.addSubnet(net, bits, family)
    return { list, bits }
  })

const isClosed = (cidr: string): boolean => {
  const [address, bits, family] = partsOf(cidr)
  return CLOSED.some((closed) => bits >= closed.bits && closed.list.check(address, family))
}

/** The network of pyro for a policy of the AI SDK. A policy that pyro cannot keep is an error. */
export const networkOf = (policy: Policy): NetworkFields => {
  if (policy.mode === "allow-all") return { networkPolicy: "egress" }
  if (policy.mode === "deny-all") return { networkPolicy: "off" }
  const { allowedCIDRs = [], allowedHosts = [], deniedCIDRs = [] } = policy
  const refused = deniedCIDRs.find((cidr) => allowedCIDRs.length > 0 || !isClosed(cidr))
  if (refused !== undefined) {
    throw new Error(
      `pyro cannot deny ${refused} beside what is allowed: it denies private addresses by default, and hosts by denyHosts. Allow fewer hosts instead.`
    )
  }
  // Without any host and address, egress is to every public one.
  if (allowedHosts.length + allowedCIDRs.length === 0) return { networkPolicy: "off" }
  return { networkPolicy: "egress", allowHosts: allowedHosts, allowIps: allowedCIDRs }
}
