import * as net from "node:net"
import type { Socket } from "node:net"
import { type FirstConnected, interleaved, promised, startConnecting } from "../../both/dial/connect-judged.ts"
import type { DialFailure } from "../../both/dial/protocol.ts"
import { Refusal } from "../../both/dial/refusal.ts"
import { authorizationOf, type Proxy } from "./proxy.ts"
import { addressesOf } from "./resolve.ts"
import { socksHandshake } from "./socks.ts"

/** Maximum bytes of a proxy's answer. */
const MAX_HEAD_BYTES = 16_384
/** Bytes that are read at a time. */
const PIECE_BYTES = 4_096

/** `host:port` as CONNECT and a URL have it. */
export const authorityOf = (host: string, port: number) => `${net.isIPv6(host) ? `[${host}]` : host}:${port}`

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

/** The proxy makes no tunnel to this port or host. It may answer plain requests. */
export class NoTunnel extends Refusal {}

/** Statuses of a proxy that makes no tunnel, whatever its reason: Squid has 403 for ports other than 443. */
const isNoTunnel = (status: number) => (status >= 400 && status < 500 && status !== 407) || status === 501

/** Request to a proxy. */
export interface ProxyTarget {
  readonly host: string
  readonly port: number
  readonly group: string
}

/** Connects to the proxy itself. */
export const connectToProxy = async (
  { host, port }: Proxy,
  group: string,
  signal: AbortSignal,
  make?: () => Socket
): Promise<Socket> => {
  const addresses = net.isIP(host) === 0 ? await addressesOf(host, group, signal) : [host]
  const { socket } = await promised<FirstConnected>(
    signal,
    (settle) => startConnecting(interleaved(addresses), port, settle, make)
  )
  return socket
}

/** Asks a proxy for a tunnel (RFC 9110, 9.3.6, or RFC 1928). `head`: bytes of the tunnel that came with the answer. */
export const connectThrough = async (
  proxy: Proxy,
  target: ProxyTarget,
  signal: AbortSignal
): Promise<{ readonly socket: Socket; readonly address: string; readonly head: string }> => {
  const { host, kind, port } = proxy
  const asked = authorityOf(target.host, target.port)
  const answers = new Map<Socket, (bytes: Buffer) => boolean>()
  const make = () => {
    const socket: Socket = pausable((bytes) => answers.get(socket)?.(bytes) ?? false)
    return socket
  }
  const socket = await connectToProxy(proxy, target.group, signal, make)
  const address = authorityOf(host, port)
  const listen = (onBytes: (bytes: Buffer) => boolean) => void answers.set(socket, onBytes)
  try {
    const head = kind === "http"
      ? await askForTunnel(socket, { address, asked, authorization: authorizationOf(proxy), listen }, signal)
      : await socksHandshake(socket, { address, asked, proxy, target, listen }, signal)
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

/** Asks an HTTP proxy. Returns the bytes after its answer. */
const askForTunnel = async (
  socket: Socket,
  { address, asked, authorization, listen }: {
    readonly address: string
    readonly asked: string
    readonly authorization: string | undefined
    readonly listen: (onBytes: (bytes: Buffer) => boolean) => void
  },
  signal: AbortSignal
): Promise<Buffer> => {
  const answer = answerOf(socket, address, listen, signal)
  const lines = [`CONNECT ${asked} HTTP/1.1`, `Host: ${asked}`]
  if (authorization !== undefined) lines.push(`Proxy-Authorization: ${authorization}`)
  socket.write(`${lines.join("\r\n")}\r\n\r\n`)
  const { head, status, text } = await answer
  if (status >= 200 && status <= 299) return head
  const kind = isNoTunnel(status) ? NoTunnel : Refusal
  throw new kind(FAILURES.get(status) ?? "refused", `the proxy ${address} answered ${text} for ${asked}`)
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
