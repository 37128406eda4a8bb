import * as net from "node:net"
import type { Socket } from "node:net"
import type { DialFailure } from "../../both/dial/protocol.ts"
import { Refusal } from "../../both/dial/refusal.ts"
import { readAddress } from "../../model/address.ts"
import type { Proxy } from "./proxy.ts"

// RFC 1928 and RFC 1929. Packages for SOCKS read from the socket as they like; this one goes to the daemon, with every byte that follows.

const VERSION = 5
const NO_LOGIN = 0
const PASSWORD = 2
const CONNECT = 1
const IPV4 = 1
const NAME = 3
const IPV6 = 4
/** Version of the login, RFC 1929. */
const LOGIN_VERSION = 1
/** Maximum bytes of a name, a user and a password. */
const MAX_TEXT_BYTES = 255

const REPLIES = new Map<number, readonly [DialFailure, string]>([
  [1, ["failed", "general failure"]],
  [2, ["refused", "not allowed by its rules"]],
  [3, ["unreachable", "network unreachable"]],
  [4, ["unreachable", "host unreachable"]],
  [5, ["refused", "connection refused"]],
  [6, ["timeout", "TTL expired"]],
  [7, ["failed", "command not supported"]],
  [8, ["failed", "address type not supported"]]
])

/** A text with its length before it. */
const text = (value: string) => {
  const bytes = Buffer.from(value)
  if (bytes.length === 0 || bytes.length > MAX_TEXT_BYTES) {
    throw new Refusal("failed", `a SOCKS proxy takes names, users and passwords of 1 to ${MAX_TEXT_BYTES} bytes`)
  }
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

const requestFor = (host: string, port: number): Buffer => {
  const address = readAddress(host)
  const end = Buffer.alloc(2)
  end.writeUInt16BE(port)
  const to = address === undefined
    ? Buffer.concat([Buffer.from([NAME]), text(host)])
    : Buffer.concat([Buffer.from([net.isIPv6(host) ? IPV6 : IPV4]), addressBytes(host)])
  return Buffer.concat([Buffer.from([VERSION, CONNECT, 0]), to, end])
}

/** The 4 or 16 bytes of an address. */
const addressBytes = (host: string): Buffer => {
  if (net.isIPv4(host)) return Buffer.from(host.split(".").map(Number))
  // URL writes IPv4 within IPv6 in hexadecimal, and compresses zeros once.
  const [front = "", back] = new URL(`http://[${host}]`).hostname.slice(1, -1).split("::")
  const groups = (part: string) => part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16))
  const [first, last] = [groups(front), groups(back ?? "")]
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]))
}

/** Length of the reply whose start is given: 4 bytes, an address, and a port. Undefined until it is known. */
const replyBytes = (held: Buffer): number | undefined => {
  if (held.length < 5) return undefined
  const bytes = held[3] === IPV4 ? 4 : held[3] === IPV6 ? 16 : held[3] === NAME ? 1 + held[4]! : undefined
  if (bytes === undefined) throw new Refusal("failed", "an address of an unknown type")
  return 4 + bytes + 2
}

export interface Handshake {
  /** The proxy's `host:port`, for messages. */
  readonly address: string
  /** The target's `host:port`, for messages. */
  readonly asked: string
  readonly proxy: Proxy
  readonly target: { readonly host: string; readonly port: number }
  /** Hands bytes of the socket over, until the listener gives `false`. */
  readonly listen: (onBytes: (bytes: Buffer) => boolean) => void
}

/** Asks a SOCKS5 proxy for a connection. Returns the bytes after its reply. */
export const socksHandshake = (
  socket: Socket,
  { address, asked, listen, proxy: { password, user }, target }: Handshake,
  signal: AbortSignal
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const hasLogin = user !== "" || password !== ""
    let held = Buffer.alloc(0)
    let step: "method" | "login" | "reply" = "method"
    const fail = (detail: string, failure: DialFailure = "failed") => {
      reject(new Refusal(failure, `the SOCKS proxy ${address} ${detail}`))
      return false
    }
    const request = () => {
      step = "reply"
      socket.write(requestFor(target.host, target.port))
      return true
    }
    const take = (bytes: number) => {
      const taken = held.subarray(0, bytes)
      held = held.subarray(bytes)
      return taken
    }
    /** The next step, once its bytes are here. Whether more bytes are wanted. */
    const proceed = (): boolean => {
      if (step === "reply") {
        if (held.length >= 2 && (held[0] !== VERSION || held[1] !== 0)) {
          const [failure, words] = REPLIES.get(held[1]!) ?? ["failed", `reply ${held[1]}`]
          return fail(`answered "${words}" for ${asked}`, failure)
        }
        const size = replyBytes(held)
        if (size === undefined || held.length < size) return true
        take(size)
        resolve(held)
        return false
      }
      if (held.length < 2) return true
      const [version, value] = take(2)
      if (step === "login") return value === 0 ? request() : fail("refuses the user or the password")
      if (version !== VERSION) return fail("does not speak SOCKS 5")
      if (value === NO_LOGIN) return request()
      if (value !== PASSWORD || !hasLogin) return fail("wants a login: socks5://USER:PASSWORD@HOST:PORT")
      step = "login"
      socket.write(Buffer.concat([Buffer.from([LOGIN_VERSION]), text(user), text(password)]))
      return true
    }
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    socket.once("error", ({ message }) => fail(`failed: ${message}`)).once("end", () => fail("closed the connection"))
      .once("close", () => fail("closed the connection"))
    listen((bytes) => {
      held = Buffer.concat([held, bytes])
      try {
        return proceed()
      } catch (error) {
        return fail(`sent ${error instanceof Error ? error.message : String(error)}`)
      }
    })
    socket.resume()
    socket.write(Buffer.from(hasLogin ? [VERSION, 2, NO_LOGIN, PASSWORD] : [VERSION, 1, NO_LOGIN]))
  })
