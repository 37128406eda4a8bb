import { contains, readAddress, readRange } from "../address.ts"
import type { Proxies } from "./protocol.ts"
import { Refusal } from "./refusal.ts"

/** An HTTP proxy. */
export interface Proxy {
  readonly host: string
  readonly port: number
  /** Value of Proxy-Authorization (RFC 7617). */
  readonly authorization: string | undefined
}

/** Port that a URL without one names. */
const DEFAULT_PORT = 80

const unsupported = (variable: string, why: string) =>
  new Refusal("failed", `the proxy in ${variable} ${why}; only HTTP proxies can be used: http://HOST:PORT`)

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
  if (plain.protocol !== "http:") throw unsupported(variable, `has the scheme ${plain.protocol.slice(0, -1)}`)
  const credentials = `${decoded(plain.username)}:${decoded(plain.password)}`
  return {
    host: plain.hostname.replace(/^\[|\]$/g, ""),
    port: plain.port === "" ? DEFAULT_PORT : Number(plain.port),
    authorization: credentials === ":" ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`
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
