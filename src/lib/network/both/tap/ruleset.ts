import {
  type Address,
  addressText,
  contains,
  deniedRanges,
  isSameAddress,
  type Range,
  widthOf
} from "../../model/address.ts"
import type { Rules } from "../../model/policy.ts"
import type { IpRule } from "../../model/rule.ts"

/** Gateway and resolver of the guest, in each network the same (native/tap/tap.c, guest-agent/src/net/device.c). */
export const RESOLVER = "198.18.0.2"

/** The network between the guest's and the translator to the outside. Its packets leave no host. */
export const OUTSIDE = {
  address: "198.19.0.2",
  netmask: "255.255.255.0",
  gateway: "198.19.0.1",
  /** Of IPv6, with 64 bits for the network. */
  address6: "fd70:7972:6f00:1::2",
  gateway6: "fd70:7972:6f00:1::1",
  device: "out"
} as const

/** Ports of an address that a policy opens by a name. */
export interface Grant {
  readonly address: string
  /** All ports but `closed`, and ping. */
  readonly isOpen: boolean
  /** Opened ports of an address that is not open. */
  readonly ports: ReadonlyArray<number>
  /** Closed ports of an open address. */
  readonly closed: ReadonlyArray<number>
  readonly timeoutSeconds: number
}

/** Connections of one network at a time, of all protocols. */
const MAX_FLOWS = 4_096
/** Addresses in one set. A guest chooses the names that it looks up. */
const MAX_ELEMENTS = 16_384
/** Denials that the log gets in a second; the first of a burst come at once. */
const LOGGED = "limit rate 20/second burst 100 packets"
/** Netlink group of the denials. */
export const LOG_GROUP = 1

const PORTS = "meta l4proto { tcp, udp }"

/** How nft(8) names a family, and the type of its addresses in sets. */
const FAMILIES = [
  { family: 4, word: "ip", type: "ipv4_addr" },
  { family: 6, word: "ip6", type: "ipv6_addr" }
] as const

/** Match of the packets to a range. */
const to = (range: Range) =>
  `${range.family === 4 ? "ip" : "ip6"} daddr ${addressText(range)}${
    range.bits === widthOf(range.family) ? "" : `/${range.bits}`
  }`

const opening = ({ port, range }: IpRule) =>
  `${to(range)} ${port === undefined ? "" : `${PORTS} th dport ${port} `}goto allow`

/** Rules for one range alone: `allowIps` opens parts of it, and the rest is denied. */
const decided = (range: Range, opens: ReadonlyArray<IpRule>) => [
  ...opens.map(opening),
  `${to(range)} goto deny`
]

/** The order of `judgeLiteral`: the host's own addresses, then special ranges from the narrowest on, then public addresses. */
const addressRules = ({ allowIps }: Rules, own: ReadonlyArray<Address>): ReadonlyArray<string> => [
  ...own.flatMap((address) => {
    const bits = widthOf(address.family)
    return decided(
      { ...address, bits },
      allowIps.filter(({ range }) => range.bits === bits && isSameAddress(range, address))
    )
  }),
  ...deniedRanges.toSorted((a, b) => b.bits - a.bits).flatMap((denied) =>
    decided(denied, allowIps.filter(({ range }) => range.bits >= denied.bits && contains(denied, range)))
  ),
  ...allowIps.map(opening)
]

const elementOf = (text: string, { timeoutSeconds }: Grant) => `${text} timeout ${timeoutSeconds}s`

/** Elements of a grant, each with the set of its family. */
const elementsOf = (grant: Grant) => {
  const { address, closed, isOpen, ports } = grant
  const elements: ReadonlyArray<readonly [set: string, text: string]> = [
    ...(isOpen ? [["open", address] as const] : []),
    ...ports.map((port) => ["ports", `${address} . ${port}`] as const),
    ...closed.map((port) => ["closed", `${address} . ${port}`] as const)
  ]
  return elements.map(([set, text]) => [`${set}${address.includes(":") ? 6 : 4}`, text] as const)
}

/** Adds grants to the sets. An element that is there gets its new time. */
export const grantScript = (grants: ReadonlyArray<Grant>): string =>
  grants.flatMap((grant) =>
    elementsOf(grant).flatMap(([set, text]) => [
      `add element inet pyro ${set} { ${text} }`,
      `delete element inet pyro ${set} { ${text} }`,
      `add element inet pyro ${set} { ${elementOf(text, grant)} }`
    ])
  ).map((line) => `${line}\n`).join("")

const set = (name: string, type: string) =>
  `  set ${name} { type ${type}; flags timeout; size ${MAX_ELEMENTS}; timeout 60s; }`

const chain = (name: string, ...rules: ReadonlyArray<string>) =>
  `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join("")}  }`

/** Whether a policy opens every public address, without a name. */
const opensPublic = ({ comparesNames, networkPolicy }: Rules) => networkPolicy !== "off" && !comparesNames

/**
 * The firewall of one network, complete, as one transaction. A flow carries the number of the policy that allowed it; under another policy it is
 * judged again, in the direction from the guest. Answers pass only with the number in force, so a flow that the policy now forbids is reset on
 * both sides.
 */
export const ruleset = (
  rules: Rules,
  { grants, own, policyNumber }: {
    readonly grants: ReadonlyArray<Grant>
    readonly own: ReadonlyArray<Address>
    readonly policyNumber: number
  }
): string => {
  const isOff = rules.networkPolicy === "off"
  const allowed = `ct mark ${policyNumber}`
  return [
    "add table inet pyro",
    "delete table inet pyro",
    "table inet pyro {",
    ...FAMILIES.flatMap(({ family, type }) => [
      set(`open${family}`, type),
      set(`ports${family}`, `${type} . inet_service`),
      set(`closed${family}`, `${type} . inet_service`)
    ]),
    chain(
      "deny",
      `ct state new ${LOGGED} log group ${LOG_GROUP} snaplen 64`,
      "meta l4proto tcp reject with tcp reset",
      "reject with icmpx admin-prohibited"
    ),
    chain("allow", `ct state new ct count over ${MAX_FLOWS} goto deny`, `ct mark set ${policyNumber} accept`),
    chain(
      "outwards",
      "meta l4proto != { tcp, udp, icmp, icmpv6 } goto deny",
      "ct state invalid drop",
      "icmp type != echo-request ct state != related goto deny",
      "icmpv6 type != echo-request ct state != related goto deny",
      `${allowed} accept`,
      ...(isOff ? [] : addressRules(rules, own)),
      ...(isOff ? [] : FAMILIES.flatMap(({ family, word }) => [
        `${PORTS} ${word} daddr . th dport @closed${family} goto deny`,
        `${word} daddr @open${family} goto allow`,
        `${PORTS} ${word} daddr . th dport @ports${family} goto allow`
      ])),
      ...(opensPublic(rules) ? ["goto allow"] : []),
      "goto deny"
    ),
    chain(
      "inwards",
      `${allowed} ct state { established, related } accept`,
      "meta l4proto tcp reject with tcp reset",
      "drop"
    ),
    chain(
      "forward",
      "type filter hook forward priority 0; policy drop;",
      "iifname guest oifname out goto outwards",
      "iifname out oifname guest goto inwards"
    ),
    chain(
      "input",
      "type filter hook input priority 0; policy drop;",
      `iifname guest ip daddr ${RESOLVER} meta l4proto { tcp, udp } th dport 53 accept`,
      `iifname guest ip daddr ${RESOLVER} icmp type echo-request accept`,
      // Neighbours find each other's hardware addresses: the guest the gateway's, and the gateway the translator's.
      "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
      "iifname guest goto deny"
    ),
    chain("translate", "type nat hook postrouting priority 100;", "oifname out masquerade"),
    "}",
    grantScript(grants)
  ].join("\n")
}
