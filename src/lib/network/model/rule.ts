import { domainToASCII } from "node:url"
import type { NextStep } from "../../../contract/errors/next-step.ts"
import { contains, deniedRangeOf, loopbackRanges, type Range, readRange } from "./address.ts"
import { readName, THIS_HOST } from "./name.ts"

/** A rule about names. Without a port it holds for every port. */
export interface HostRule {
  /** The rule as the person wrote it. */
  readonly text: string
  /** `exact`: `name` alone. `beneath`: every name that ends in `.name`. `every`: all names. */
  readonly match: "exact" | "beneath" | "every"
  readonly name: string
  readonly port: number | undefined
}

/** A rule about addresses. */
export interface IpRule {
  readonly text: string
  readonly range: Range
  readonly port: number | undefined
}

/** A rule cannot be read. */
export interface BadRule {
  readonly _tag: "BadRule"
  /** A whole sentence, with an example of the right form. */
  readonly detail: string
  readonly next: ReadonlyArray<NextStep>
}

const bad = (detail: string, ...next: ReadonlyArray<NextStep>): BadRule => ({ _tag: "BadRule", detail, next })

export const isBadRule = (value: object): value is BadRule => "_tag" in value && value._tag === "BadRule"

/** Reads a port; undefined for other text. */
const readPort = (text: string): number | undefined => {
  const port = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}

const badPort = (text: string) => bad(`The port in ${JSON.stringify(text)} is not a number from 1 to 65535`)

/** The host in a URL, or in a URL without its scheme, as a rule names it; undefined for other text. */
const hostOfUrl = (text: string): string | undefined => {
  const url = text.includes("://") ? text : `http://${text}`
  if (!text.includes("/") || !URL.canParse(url)) return undefined
  const { hostname, port } = new URL(url)
  return hostname === "" ? undefined : `${hostname}${port === "" ? "" : `:${port}`}`
}

const urlIssue = (text: string, host: string): BadRule => {
  const rule = parseHostRule(host)
  return bad(
    `${JSON.stringify(text)} is a URL, and a rule names its host. ${isBadRule(rule) ? rule.detail : `Write: ${host}`}`,
    ...(isBadRule(rule) ? rule.next : [])
  )
}

/** Reads `NAME[:PORT]`, `*.SUFFIX[:PORT]` or `*[:PORT]`. */
export const parseHostRule = (text: string): HostRule | BadRule => {
  const [, host = "", portText] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [undefined, text]
  if (readRange(host) !== undefined || readIpRange(text) !== undefined) {
    return bad(`${JSON.stringify(text)} is an address, and not a name`, {
      label: "Allow the address",
      option: "allow_ips",
      value: [text]
    })
  }
  const urlHost = hostOfUrl(text)
  if (urlHost !== undefined) return urlIssue(text, urlHost)
  const port = portText === undefined ? undefined : readPort(portText)
  if (portText !== undefined && port === undefined) return badPort(text)
  if (host === "*") return { text, match: "every", name: "", port }
  const isBeneath = host.startsWith("*.")
  const base = isBeneath ? host.slice(2) : host
  const name = readName(base)
  if (name._tag === "HostName") return { text, match: isBeneath ? "beneath" : "exact", name: name.name, port }
  if (base.includes("*")) {
    return bad(
      `${JSON.stringify(text)} has a * in the wrong place. Write *.example.com for every name beneath example.com`
    )
  }
  const ascii = /[^\0-\x7f]/.test(base) ? domainToASCII(base) : ""
  // A suffix of one label opens a whole top-level domain, such as *.internal.
  if (isBeneath && /^[a-z0-9-]+$/i.test(base) && readName(`a.${base}`)._tag === "HostName") {
    return { text, match: "beneath", name: base.toLowerCase(), port }
  }
  return bad(`The name ${JSON.stringify(base)} ${name.reason}${ascii === "" ? "" : `, here ${ascii}`}`)
}

/** The range in `IP[/BITS]`, `IP[/BITS]:PORT` or `[IPv6[/BITS]]:PORT`, with the text of the port. */
const readIpRange = (text: string): { readonly range: Range; readonly port: string | undefined } | undefined => {
  const whole = readRange(text)
  if (whole !== undefined) return { range: whole, port: undefined }
  const [, base = "", port] = /^(?:\[([^\]]*)\])(?::(.*))?$/s.exec(text) ?? /^([^:]*):(.*)$/s.exec(text) ?? []
  const range = readRange(base)
  return range === undefined || (range.family === 6) !== text.startsWith("[") ? undefined : { range, port }
}

/** Reads `IP[/BITS][:PORT]` or `[IPv6[/BITS]]:PORT`. */
export const parseIpRule = (text: string): IpRule | BadRule => {
  const read = readIpRange(text)
  if (read === undefined) {
    return bad(
      `${
        JSON.stringify(text)
      } is not an address or a range. Examples: 203.0.113.7, 203.0.113.0/24:443, 2001:db8::1, [2001:db8::1]:443`
    )
  }
  const port = read.port === undefined ? undefined : readPort(read.port)
  if (read.port !== undefined && port === undefined) return badPort(text)
  return { text, range: read.range, port }
}

type Ported = Pick<HostRule, "port">

const coversPort = (wide: Ported, narrow: Ported) => wide.port === undefined || wide.port === narrow.port

/** Whether one rule names every name and port that another one names. */
export const includesNames = (wide: HostRule, narrow: HostRule): boolean => {
  if (!coversPort(wide, narrow)) return false
  switch (wide.match) {
    case "every":
      return true
    case "exact":
      return narrow.match === "exact" && narrow.name === wide.name
    case "beneath":
      return narrow.match !== "every" &&
        (narrow.name.endsWith(`.${wide.name}`) || (narrow.match === "beneath" && narrow.name === wide.name))
  }
}

/** Whether one rule allows everything that another one allows. */
export const allowsNames = (wide: HostRule, narrow: HostRule): boolean =>
  // A service of the host is above every pattern, and is named with its port.
  narrow.name === THIS_HOST
    ? wide.match === "exact" && wide.name === THIS_HOST && wide.port === narrow.port
    : includesNames(wide, narrow)

/** Whether one rule allows every address that another one allows. A wide rule opens no range of another kind, such as a LAN. */
export const allowsAddresses = (wide: IpRule, narrow: IpRule): boolean =>
  coversPort(wide, narrow) && wide.range.bits <= narrow.range.bits && contains(wide.range, narrow.range) &&
  (wide.range.bits === narrow.range.bits || wide.range.bits >= (deniedRangeOf(narrow.range)?.bits ?? 0))

/** Whether a rule allows addresses of the loopback alone, or addresses that lead there. */
export const isLoopbackRule = ({ range }: IpRule): boolean =>
  loopbackRanges.some((one) => one.bits <= range.bits && contains(one, range))
