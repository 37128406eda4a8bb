import type { Proxies } from "../../../../system/settings/proxies.ts"
import { Refusal } from "../../both/dial/refusal.ts"
import { contains, readAddress, readRange } from "../../model/address.ts"

/** A proxy of the host. */
export interface Proxy {
  /** `socks5`: addresses of names come from this host, as in curl. `socks5h`: the proxy resolves names. */
  readonly kind: "http" | "socks5" | "socks5h"
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

/** Port that a URL without one names, by its scheme. */
const DEFAULT_PORTS = { http: 80, socks5: 1080, socks5h: 1080 } as const

const isKind = (text: string): text is Proxy["kind"] => Object.hasOwn(DEFAULT_PORTS, text)

const unsupported = (variable: string, why: string) =>
  new Refusal(
    "failed",
    `the proxy in ${variable} ${why}; use http://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT`
  )

/** Value of Proxy-Authorization (RFC 7617). */
export const authorizationOf = ({ password, user }: Proxy): string | undefined =>
  user === "" && password === "" ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

const decoded = (text: string) => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Reads a proxy's URL. No message has the URL, which may have a password. */
export const readProxy = (variable: string, text: string): Proxy => {
  const url = URL.canParse(text) && text.includes("://") ? new URL(text) : undefined
  const plain = url ?? (URL.canParse(`http://${text}`) && !text.includes("://") ? new URL(`http://${text}`) : undefined)
  if (plain === undefined || plain.hostname === "") throw unsupported(variable, "is no URL")
  const kind = plain.protocol.slice(0, -1)
  if (!isKind(kind)) throw unsupported(variable, `has the scheme ${kind}`)
  return {
    kind,
    host: plain.hostname.replace(/^\[|\]$/g, ""),
    port: plain.port === "" ? DEFAULT_PORTS[kind] : Number(plain.port),
    user: decoded(plain.username),
    password: decoded(plain.password)
  }
}

/** Whether an entry of NO_PROXY names the host. A name also stands for the names beneath it, with and without a dot before it. */
const isNamedBy = (entry: string, host: string, port: number) => {
  if (entry === "*") return true
  const [, name = "", entryPort] = readRange(entry) === undefined ? /^(.*?)(?::(\d+))?$/.exec(entry) ?? [] : ["", entry]
  if (entryPort !== undefined && Number(entryPort) !== port) return false
  const address = readAddress(host)
  if (address !== undefined) {
    const range = readRange(name.replace(/^\[|\]$/g, ""))
    return range !== undefined && contains(range, address)
  }
  const suffix = name.replace(/^\*?\./, "").toLowerCase()
  return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`))
}

/** The proxy for a host, undefined for a direct connection. Port 80 stands for HTTP, every other port for HTTPS. */
export const proxyFor = (proxies: Proxies, host: string, port: number): Proxy | undefined => {
  const isDirect = (proxies.no ?? "").split(/[\s,]+/).some((entry) => entry !== "" && isNamedBy(entry, host, port))
  if (isDirect) return undefined
  const [variable, text] = port === 80 ? ["HTTP_PROXY", proxies.http] : ["HTTPS_PROXY", proxies.https]
  if (text !== undefined && text !== "") return readProxy(variable!, text)
  return proxies.all === undefined || proxies.all === "" ? undefined : readProxy("ALL_PROXY", proxies.all)
}
