import { type Address, contains, isSameAddress, type Range, widthOf } from "../address/address.ts"
import { deniedRanges } from "../address/ranges.ts"
import type { Rules } from "../policy/policy.ts"
import type { IpRule } from "../policy/rule.ts"
import { RESOLVER } from "./link.ts"

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

const dotted = (value: bigint) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".")

/** Text of an IPv4 range. */
const rangeText = ({ bits, value }: Range) => bits === 32 ? dotted(value) : `${dotted(value)}/${bits}`

const isIpv4 = ({ family }: Address) => family === 4

const opening = ({ port, range }: IpRule) =>
  `ip daddr ${rangeText(range)} ${port === undefined ? "" : `${PORTS} th dport ${port} `}goto allow`

/** Rules that decide about one range alone: what `allowIps` opens of it, and nothing else. */
const decided = (range: Range, opens: ReadonlyArray<IpRule>) => [
  ...opens.map(opening),
  `ip daddr ${rangeText(range)} goto deny`
]

/** The order of `judgeLiteral`: the host's own addresses, then special ranges from the narrowest on, then public addresses. */
const addressRules = ({ allowIps }: Rules, own: ReadonlyArray<Address>): ReadonlyArray<string> => {
  const rules = allowIps.filter(({ range }) => isIpv4(range))
  const ranges = deniedRanges.filter(isIpv4).toSorted((a, b) => b.bits - a.bits)
  return [
    ...own.filter(isIpv4).flatMap((address) =>
      decided(
        { ...address, bits: widthOf(4) },
        rules.filter(({ range }) => range.bits === widthOf(4) && isSameAddress(range, address))
      )
    ),
    ...ranges.flatMap((denied) =>
      decided(denied, rules.filter(({ range }) => range.bits >= denied.bits && contains(denied, range)))
    ),
    ...rules.map(opening)
  ]
}

const elementOf = (text: string, { timeoutSeconds }: Grant) => `${text} timeout ${timeoutSeconds}s`

const elementsOf = (grants: ReadonlyArray<Grant>) => ({
  open: grants.filter(({ isOpen }) => isOpen).map((grant) => [grant.address, grant] as const),
  ports: grants.flatMap((grant) => grant.ports.map((port) => [`${grant.address} . ${port}`, grant] as const)),
  closed: grants.flatMap((grant) => grant.closed.map((port) => [`${grant.address} . ${port}`, grant] as const))
})

/** Adds grants to the sets. An element that is there gets its new time. */
export const grantScript = (grants: ReadonlyArray<Grant>): string =>
  Object.entries(elementsOf(grants)).flatMap(([set, elements]) =>
    elements.flatMap(([text, grant]) => [
      `add element ip pyro ${set} { ${text} }`,
      `delete element ip pyro ${set} { ${text} }`,
      `add element ip pyro ${set} { ${elementOf(text, grant)} }`
    ])
  ).map((line) => `${line}\n`).join("")

const set = (name: string, type: string) =>
  `  set ${name} { type ${type}; flags timeout; size ${MAX_ELEMENTS}; timeout 60s; }`

const chain = (name: string, ...rules: ReadonlyArray<string>) =>
  `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join("")}  }`

/** Whether a policy opens every public address, without a name. */
const opensPublic = ({ denyHosts, isListed, networkPolicy }: Rules) =>
  networkPolicy !== "off" && !isListed && denyHosts.length === 0

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
    "add table ip pyro",
    "delete table ip pyro",
    "table ip pyro {",
    set("open", "ipv4_addr"),
    set("ports", "ipv4_addr . inet_service"),
    set("closed", "ipv4_addr . inet_service"),
    chain(
      "deny",
      `ct state new ${LOGGED} log group ${LOG_GROUP} snaplen 64`,
      "meta l4proto tcp reject with tcp reset",
      "reject with icmp admin-prohibited"
    ),
    chain("allow", `ct state new ct count over ${MAX_FLOWS} goto deny`, `ct mark set ${policyNumber} accept`),
    chain(
      "outwards",
      "meta l4proto != { tcp, udp, icmp } goto deny",
      "ct state invalid drop",
      "meta l4proto icmp icmp type != echo-request ct state != related goto deny",
      `${allowed} accept`,
      ...(isOff ? [] : addressRules(rules, own)),
      ...(isOff ? [] : [
        `${PORTS} ip daddr . th dport @closed goto deny`,
        "ip daddr @open goto allow",
        `${PORTS} ip daddr . th dport @ports goto allow`
      ]),
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
      "iifname guest goto deny"
    ),
    chain("translate", "type nat hook postrouting priority 100;", "oifname out masquerade"),
    "}",
    grantScript(grants)
  ].join("\n")
}
