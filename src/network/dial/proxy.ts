import * as net from "node:net"
import type { Socket } from "node:net"
import { contains, readAddress, readRange } from "../address.ts"
import { type FirstConnected, interleaved, promised, startConnecting } from "./connect-judged.ts"
import type { DialFailure, Proxies } from "./protocol.ts"
import { Refusal } from "./refusal.ts"
import { addressesOf } from "./resolve.ts"

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

/** Maximum bytes of a proxy's answer. */
const MAX_HEAD_BYTES = 16_384
/** Bytes that are read at a time. */
const PIECE_BYTES = 4_096

/** `host:port` as CONNECT and a URL have it. */
const authorityOf = (host: string, port: number) => `${net.isIPv6(host) ? `[${host}]` : host}:${port}`

/** Statuses that say more than that the proxy refuses (RFC 9110, 15). */
const FAILURES = new Map<number, DialFailure>([
  [407, "failed"],
  [500, "failed"],
  [502, "unreachable"],
  [503, "unreachable"],
  [504, "timeout"]
])

/** A socket that reads only when told to, and stops at once: what it has not read is the daemon's. */
const pausable = (onBytes: (bytes: Buffer) => boolean) =>
  new net.Socket({
    allowHalfOpen: true,
    onread: {
      buffer: Buffer.alloc(PIECE_BYTES),
      callback: (size, buffer) => onBytes(Buffer.from(buffer.subarray(0, size)))
    }
  })

const readers = new WeakMap<Socket, () => void>()

/** Lets this process read a tunnel, whose bytes are the daemon's otherwise. Without effect on other sockets. */
export const readHere = (socket: Socket): void => readers.get(socket)?.()

/** Asks a proxy for a tunnel (RFC 9110, 9.3.6). `head`: bytes of the tunnel that came with the answer. */
export const connectThrough = async (
  proxy: Proxy,
  target: { readonly host: string; readonly port: number; readonly group: string },
  signal: AbortSignal
): Promise<{ readonly socket: Socket; readonly address: string; readonly head: string }> => {
  const { authorization, host, port } = proxy
  const addresses = net.isIP(host) === 0 ? await addressesOf(host, target.group, signal) : [host]
  const asked = authorityOf(target.host, target.port)
  const answers = new Map<Socket, (bytes: Buffer) => boolean>()
  const make = () => {
    const socket: Socket = pausable((bytes) => answers.get(socket)?.(bytes) ?? false)
    return socket
  }
  const { socket } = await promised<FirstConnected>(
    signal,
    (settle) => startConnecting(interleaved(addresses), port, settle, make)
  )
  const address = authorityOf(host, port)
  try {
    const answer = answerOf(socket, address, (onBytes) => answers.set(socket, onBytes), signal)
    const lines = [`CONNECT ${asked} HTTP/1.1`, `Host: ${asked}`]
    if (authorization !== undefined) lines.push(`Proxy-Authorization: ${authorization}`)
    socket.write(`${lines.join("\r\n")}\r\n\r\n`)
    const { head, status, text } = await answer
    if (status < 200 || status > 299) {
      throw new Refusal(FAILURES.get(status) ?? "refused", `the proxy ${address} answered ${text} for ${asked}`)
    }
    readers.set(socket, () => {
      answers.set(socket, (bytes) => socket.push(bytes))
      // The stream waits for the bytes of the proxy's answer, which never came to it.
      socket.push(Buffer.alloc(0))
    })
    return { socket, address, head: head.toString("base64") }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Reads the head of the proxy's answer. */
const answerOf = (
  socket: Socket,
  address: string,
  listen: (onBytes: (bytes: Buffer) => boolean) => void,
  signal: AbortSignal
) =>
  new Promise<{ readonly status: number; readonly text: string; readonly head: Buffer }>((resolve, reject) => {
    let held = Buffer.alloc(0)
    const fail = (detail: string) => reject(new Refusal("failed", `the proxy ${address} ${detail}`))
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    socket.once("error", ({ message }) => fail(`failed: ${message}`)).once("end", () => fail("closed the connection"))
      .once("close", () => fail("closed the connection"))
    listen((bytes) => {
      held = Buffer.concat([held, bytes])
      const end = held.indexOf("\r\n\r\n")
      if (end < 0) {
        if (held.length > MAX_HEAD_BYTES) fail("sent an endless answer")
        return held.length <= MAX_HEAD_BYTES
      }
      const line = held.toString("latin1", 0, held.indexOf("\r\n")).replace(/[^\x20-\x7e]/g, "?").slice(0, 100)
      const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line) ?? []
      if (status === undefined) fail(`sent no HTTP answer: ${JSON.stringify(line)}`)
      else resolve({ status: Number(status), text: line.slice(9), head: held.subarray(end + 4) })
      return false
    })
    socket.resume()
  })
