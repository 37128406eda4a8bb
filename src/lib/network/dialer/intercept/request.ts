import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { TLSSocket } from "node:tls"
import type { ForeignSecret, HeaderSecret, Interception } from "../../both/intercept/interception.ts"
import { isPullOf } from "./pulls.ts"

export type Header = readonly [name: string, value: string]

/** `[name, value, name, value]`, as Node gives headers, in pairs. */
export const pairs = (raw: ReadonlyArray<string>): ReadonlyArray<Header> =>
  Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at]!, raw[2 * at + 1]!])

/** Credentials of RFC 7617, which git, npm and pip send. */
const BASIC = /^(basic +)([a-z0-9+/]+={0,2})$/i
const BASIC_HEADERS = new Set(["authorization", "proxy-authorization"])

/** The readable text of a header value, and the way back. */
const opened = (name: string, value: string) => {
  const [, scheme, encoded] = BASIC_HEADERS.has(name.toLowerCase()) ? BASIC.exec(value) ?? [] : []
  return scheme === undefined || encoded === undefined
    ? { text: value, close: (text: string) => text }
    : {
      text: Buffer.from(encoded, "base64").toString("latin1"),
      close: (text: string) => scheme + Buffer.from(text, "latin1").toString("base64")
    }
}

/** Headers that say how a message is sent. No client has credentials there. */
const OF_MESSAGE = /^(connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade)$/i

/** Whether a header may get a value. HTTP/2 gives the method and the target as pseudo-headers, which hosts show in their answers. */
const isField = (name: string) => !name.startsWith(":") && !OF_MESSAGE.test(name)

/** The secret whose placeholder is in a text of a request. */
const foreignIn = (
  foreign: ReadonlyArray<ForeignSecret>,
  target: string,
  headers: ReadonlyArray<Header>
): ForeignSecret | undefined =>
  foreign.find(({ placeholder }) =>
    target.includes(placeholder) ||
    headers.some(([name, value]) => name.includes(placeholder) || opened(name, value).text.includes(placeholder))
  )

/** Bytes of the values that the headers would get. */
const addedBytes = (secrets: ReadonlyArray<HeaderSecret>, headers: ReadonlyArray<Header>): number =>
  headers.reduce((sum, [name, value]) => {
    const { text } = opened(name, value)
    return secrets.reduce(
      (all, { placeholder, value }) => all + (text.split(placeholder).length - 1) * value.length,
      sum
    )
  }, 0)

/** Puts the values into one header. */
const withValues = (secrets: ReadonlyArray<HeaderSecret>, name: string, value: string): string => {
  if (!isField(name)) return value
  const { close, text } = opened(name, value)
  const fitting = secrets.filter(({ header, placeholder }) =>
    (header === undefined || header === name.toLowerCase()) && text.includes(placeholder)
  )
  if (fitting.length === 0) return value
  return close(fitting.reduce((sum, { placeholder, value }) => sum.replaceAll(placeholder, () => value), text))
}

/** Headers by which a client asks for an answer in another coding: pyro finds no value in compressed bytes. */
const ASKS_FOR_CODING = /^(.*-)?accept-encoding$/i
const WITHOUT_CODING = /^(sec-websocket-extensions|te)$/i

/** Asks for an answer whose bytes can be searched. `TE: trailers` is no coding. */
const forReadableAnswer = (headers: ReadonlyArray<Header>): ReadonlyArray<Header> => [
  ...headers.filter(([name, value]) =>
    !ASKS_FOR_CODING.test(name) && (!WITHOUT_CODING.test(name) || value.toLowerCase() === "trailers")
  ),
  ["accept-encoding", "identity"]
]

/** Puts the values into the headers of a request, and asks for a readable answer if there was a value to put in. */
const giveValues = (
  secrets: ReadonlyArray<HeaderSecret>,
  headers: ReadonlyArray<Header>
): ReadonlyArray<Header> => {
  const given = headers.map(([name, value]): Header => [name, withValues(secrets, name, value)])
  return given.some(([, value], at) => value !== headers[at]![1]) ? forReadableAnswer(given) : headers
}

/** Maximum bytes of one guest's request heads that are under way. */
const MAX_BYTES = 8 * 1_048_576

const bytesOf = (headers: ReadonlyArray<Header>) =>
  headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0)

/**
 * Counts the request heads of one guest that are under way. Their texts are in the heap of the dial process, which all guests share: a
 * process without heap takes the connections of every guest along.
 */
export class Heads {
  #bytes = 0

  /** Counts a head until `ended` calls back. `false` for a head that does not fit. */
  reserve(headers: ReadonlyArray<Header>, ended: (release: () => void) => void): boolean {
    const bytes = bytesOf(headers)
    if (this.#bytes + bytes > MAX_BYTES) return false
    this.#bytes += bytes
    ended(() => (this.#bytes -= bytes))
    return true
  }
}

/** Both ends of an intercepted connection after their handshakes. */
export interface InterceptedConnection {
  /** The guest's. */
  readonly inward: TLSSocket
  /** The real host's. */
  readonly outward: TLSSocket
  readonly host: string
  readonly interception: Interception
  /** The guest's, of all its connections. */
  readonly heads: Heads
  /** Reports to the daemon why a request was denied; once a connection. */
  readonly onDenied: (detail: string) => void
}

/** The same of a host that this process answers for, or that a proxy without tunnels leads to. */
export type AnsweredConnection = Omit<InterceptedConnection, "inward" | "interception" | "outward"> & {
  readonly inward: Socket
  readonly outward: Duplex
  readonly interception: Pick<Interception, "foreign" | "secrets">
  /** The other end is a proxy: requests name this origin before their path. */
  readonly proxy?: { readonly origin: string; readonly authorization: string | undefined }
}

/** Maximum bytes of a request's or response's header. */
export const MAX_HEADER_BYTES = 65_536
/** Maximum requests of a connection that are under way. */
export const MAX_REQUESTS = 100

/** The head of a request, of either version of HTTP. */
interface RequestHead {
  readonly method: string
  readonly target: string
  /** Every host that the request names: `:authority`, and each Host header. */
  readonly hosts: ReadonlyArray<string>
  readonly headers: ReadonlyArray<Header>
}

export type RequestVerdict =
  | { readonly _tag: "Allowed"; readonly headers: ReadonlyArray<Header> }
  | { readonly _tag: "Denied"; readonly status: number; readonly detail: string }

const denied = (status: number, detail: string): RequestVerdict => ({ _tag: "Denied", status, detail })

/** `Example.com:443` -> `example.com`. */
const nameOf = (host: string) => host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase()

/**
 * Judges the head of a request to `host`, and puts the values in. A request for another host would give the value to another owner: one
 * server may serve many names.
 */
export const judgeRequest = (
  { foreign, secrets }: Pick<Interception, "foreign" | "secrets">,
  host: string,
  { headers, hosts, method, target }: RequestHead
): RequestVerdict => {
  if (hosts.length === 0 || hosts.some((one) => nameOf(one) !== host)) {
    return denied(
      421,
      `the request names the host ${JSON.stringify(hosts.join(", "))}, and the connection is to ${host}`
    )
  }
  if (method === "CONNECT" || !(target.startsWith("/") || target === "*")) {
    return denied(400, `the request's target is no path of ${host}`)
  }
  const stray = foreignIn(foreign, target, headers)
  if (stray !== undefined) {
    return denied(
      403,
      `the request to ${host} has the placeholder of the secret ${stray.name}, which this host does not get`
    )
  }
  const withheld = secrets.filter(({ pulls }) => pulls !== undefined && !isPullOf(pulls, { method, target }))
  const misused = foreignIn(withheld, target, headers)
  if (misused !== undefined) {
    return denied(
      403,
      `the request to ${host} has the placeholder of the secret ${misused.name}, which is for pulls of its repositories alone`
    )
  }
  if (addedBytes(secrets, headers) > MAX_HEADER_BYTES) {
    return denied(431, `the request to ${host} has the placeholder of a secret too often`)
  }
  return { _tag: "Allowed", headers: giveValues(secrets, headers) }
}
