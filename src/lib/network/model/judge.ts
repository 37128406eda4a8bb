import {
  type Address,
  contains,
  deniedRangeOf,
  isSameAddress,
  loopbackRanges,
  ownAddresses,
  readAddress,
  widthOf
} from "./address.ts"
import { readName, THIS_HOST } from "./name.ts"
import type { Rules } from "./policy.ts"
import type { HostRule, IpRule } from "./rule.ts"

interface Allowed {
  readonly _tag: "Allowed"
  /** Name or address in its one form. */
  readonly host: string
  /** Rule that allows it; undefined without a list. */
  readonly rule: string | undefined
}

/**
 * The change of a policy that would allow a request: the JSON name of a field, and the rule to add to its list, such as `example.com:443`,
 * or to take out of `deny_hosts`. The trust in certificates has no rule.
 */
export interface Remedy {
  readonly field: "allow_hosts" | "allow_ips" | "deny_hosts" | "trust_host_certificates"
  readonly rule?: string
}

export interface Denied {
  readonly _tag: "Denied"
  /** A sentence without its full stop. */
  readonly reason: string
  /** The narrowest change that would allow it; undefined if there is none. */
  readonly remedy: Remedy | undefined
}

export type Verdict = Allowed | Denied

/** The part of the rules that judges names. */
export type NameRules = Pick<Rules, "allowHosts" | "denyHosts" | "isListed" | "networkPolicy">

const allowed = (host: string, rule: string | undefined): Allowed => ({ _tag: "Allowed", host, rule })
const denied = (reason: string, remedy?: Remedy): Denied => ({ _tag: "Denied", reason, remedy })

const host = (rule: string): Remedy => ({ field: "allow_hosts", rule })

/** The grant of one service of the loopback. */
const loopback = (port: number): Remedy => host(`${THIS_HOST}:${port}`)

const OFF = "the network policy is off"

const appliesToPort = (rule: { readonly port: number | undefined }, port: number | undefined) =>
  rule.port === undefined || port === undefined || rule.port === port

/** A service of this host needs a rule of its own, with its port: no pattern, no list and no absence of a list opens it. */
const judgeThisHost = (rules: NameRules, port: number | undefined): Verdict => {
  const rule = rules.allowHosts.find((one) =>
    one.match === "exact" && one.name === THIS_HOST && one.port !== undefined && appliesToPort(one, port)
  )
  return rule === undefined
    ? denied(
      `${THIS_HOST} is this host, and no rule allows the port`,
      port === undefined ? undefined : loopback(port)
    )
    : allowed(THIS_HOST, rule.text)
}

/** The narrowest change that opens one name. This host needs a port. */
const hostRemedy = (name: string, port: number | undefined) =>
  name === THIS_HOST && port === undefined ? undefined : host(port === undefined ? name : `${name}:${port}`)

const matches = (rule: HostRule, name: string) => {
  switch (rule.match) {
    case "exact":
      return name === rule.name
    case "beneath":
      return name.endsWith(`.${rule.name}`)
    case "every":
      return true
  }
}

const deniedByRule = ({ text }: HostRule) =>
  // A rule of a list has the host after the list's name.
  denied(`the rule ${text} of the denied hosts names it`, { field: "deny_hosts", rule: text.split(" ", 1)[0]! })

/** Explanation for a client that asks for a name outside its list. */
const causeOf = ({ allowHosts }: NameRules, name: string) =>
  name === "github.com" && allowHosts.some((rule) => rule.name === "index.crates.io")
    ? " (a cargo before 1.70 takes the index of crates from GitHub: install cargo in debian:13-build, where the list crates is enough)"
    : ""

/**
 * Judges a name before anything is asked about it. Without a port, as for a look-up: a name is allowed if it is for one port, and denied
 * if it is for all.
 */
export const judgeName = (rules: NameRules, text: string, port?: number): Verdict => {
  const read = readName(text)
  if (rules.networkPolicy === "off") {
    return denied(OFF, read._tag === "BadName" ? undefined : hostRemedy(read.name, port))
  }
  if (read._tag === "BadName") return denied(`the name ${read.reason}`)
  const { name } = read
  const denial = rules.denyHosts.find((rule) =>
    (port === undefined ? rule.port === undefined : appliesToPort(rule, port)) && matches(rule, name)
  )
  if (denial !== undefined) return deniedByRule(denial)
  if (name === THIS_HOST) return judgeThisHost(rules, port)
  if (!rules.isListed) return allowed(name, undefined)
  const rule = rules.allowHosts.find((rule) => appliesToPort(rule, port) && matches(rule, name))
  return rule === undefined
    ? denied(`no rule allows the name${causeOf(rules, name)}`, hostRemedy(name, port))
    : allowed(name, rule.text)
}

/** The part of the rules that judges addresses. */
export type AddressRules = Pick<Rules, "allowIps">

const isLoopback = (address: Address) => loopbackRanges.some((range) => contains(range, address))

const ipRemedy = (text: string, port: number): Remedy => ({
  field: "allow_ips",
  rule: `${text.includes(":") ? `[${text}]` : text}:${port}`
})

/** The narrowest change that opens one address. */
const addressRemedy = (text: string, address: Address, port: number) =>
  isLoopback(address) ? loopback(port) : ipRemedy(text, port)

/** Present addresses of the host. Called only if they decide: reading the host's interfaces takes as long as a connection. */
export type OwnAddresses = () => ReadonlyArray<Address>

/** Judges the parsed address: everything but public addresses must be named by a rule. */
const judgeParsed = (
  rules: AddressRules,
  text: string,
  address: Address,
  port: number,
  own: OwnAddresses
) => {
  const rule = (bits: number): IpRule | undefined =>
    rules.allowIps.find((rule) => rule.range.bits >= bits && contains(rule.range, address) && appliesToPort(rule, port))
  const range = deniedRangeOf(address)
  // A rule opens such an address only if it names that kind of address: 0.0.0.0/0 opens no LAN, 10.0.0.0/8 not the host in it.
  const first = rule(range?.bits ?? 0)
  // A rule that names the one address opens every kind.
  if (first?.range.bits === widthOf(address.family)) return { rule: first } as const
  const isOwn = own().some((one) => isSameAddress(one, address))
  const found = isOwn ? rule(widthOf(address.family)) : first
  if (found !== undefined || (range === undefined && !isOwn)) return { rule: found } as const
  return denied(`${text} is ${isOwn ? "an address of this host" : range!.kind}`, addressRemedy(text, address, port))
}

/** Judges one address that a name resolved to. Public addresses are allowed: the name was judged before. */
export const judgeAddress = (
  rules: AddressRules,
  text: string,
  port: number,
  own: OwnAddresses = ownAddresses
): Verdict => {
  const address = readAddress(text)
  if (address === undefined) return denied(`${JSON.stringify(text)} is not a plain address`)
  const judged = judgeParsed(rules, text, address, port, own)
  return "_tag" in judged ? judged : allowed(text, judged.rule?.text)
}

/** Judges an address that was asked for without a name: a rule must name it. */
export const judgeLiteral = (
  rules: Pick<Rules, "allowIps" | "networkPolicy">,
  text: string,
  port: number,
  own: OwnAddresses = ownAddresses
): Verdict => {
  const address = readAddress(text)
  if (rules.networkPolicy === "off") {
    return denied(OFF, address === undefined ? undefined : addressRemedy(text, address, port))
  }
  if (address === undefined) return denied(`${JSON.stringify(text)} is not a plain address`)
  const judged = judgeParsed(rules, text, address, port, own)
  if ("_tag" in judged) return judged
  return judged.rule === undefined
    ? denied("no rule allows the address", ipRemedy(text, port))
    : allowed(text, judged.rule.text)
}
