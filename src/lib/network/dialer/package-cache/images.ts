import type { Socket } from "node:net"
import { pipeline } from "node:stream/promises"
import type { TLSSocket } from "node:tls"
import { DIAL_MS, type DialMessage } from "../../both/dial/protocol.ts"
import { refusalOf } from "../../both/dial/refusal.ts"
import { isEarlyRecord } from "../../both/first-bytes/tls.ts"
import type { Interception } from "../../both/intercept/interception.ts"
import { type CacheAccess, nothingServed, type Served } from "../../model/cache-access.ts"
import { dial } from "../dial/dial.ts"
import { readHere } from "../dial/tunnel.ts"
import { serverContext } from "../intercept/certificates.ts"
import { acceptInward, readClientHello } from "../intercept/handshake.ts"
import { passHttp1 } from "../intercept/http1.ts"
import type { Heads } from "../intercept/request.ts"
import { socketPair } from "../intercept/socket-pair.ts"
import { serve } from "./serve.ts"
import { ask, type Upstream } from "./upstream.ts"

/** Whether the first byte of a guest begins TLS. The byte is put back. A guest that ends without one has no protocol. */
const speaksTls = (socket: Socket): Promise<boolean> =>
  new Promise((resolve) => {
    const settle = (bytes?: Buffer) => {
      socket.pause()
      socket.off("data", settle).off("end", onEnd).off("close", onEnd)
      if (bytes !== undefined) socket.unshift(bytes)
      resolve(bytes !== undefined && isEarlyRecord(bytes[0]!))
    }
    const onEnd = () => settle()
    socket.on("data", settle).on("end", onEnd).on("close", onEnd)
    socket.resume()
  })

/** Whether this host trusts the registry. The connection serves the next request. */
const isTrusted = async (upstream: Upstream): Promise<boolean> => {
  try {
    const answer = await ask(upstream, { author: "guest", method: "GET", path: "/v2/", headers: {} })
    answer.resume()
    return true
  } catch {
    return false
  }
}

/** Passes the bytes of a connection, unread: the guest may trust a registry that this host does not, or sees why it does not. */
const passBytes = async (guest: Socket, message: DialMessage, onEnd: (served: Served) => void) => {
  let fetchedBytes = 0
  let address: string | undefined
  try {
    const connected = await dial(message, AbortSignal.timeout(DIAL_MS))
    const { head, socket } = connected
    address = connected.address
    socket.on("error", () => {})
    if (head !== "") socket.unshift(Buffer.from(head, "base64"))
    readHere(socket)
    socket.on("data", (bytes: Buffer) => (fetchedBytes += bytes.length))
    await Promise.allSettled([pipeline(guest, socket), pipeline(socket, guest)])
    onEnd({ address, fetchedBytes, cachedBytes: 0 })
  } catch (error) {
    const { failure, message: detail, remedy } = refusalOf(error)
    guest.destroy()
    onEnd({
      fetchedBytes,
      cachedBytes: 0,
      ...(failure === "denied" ? { denial: { detail, remedy } } : { failure: detail })
    })
  }
}

/** Ends TLS of the guest, as the registry's server. */
const acceptTls = async (guest: Socket, interception: Interception, host: string) => {
  const { name } = await readClientHello(guest)
  if (name !== undefined && name.toLowerCase() !== host) throw new Error(`the TLS server name is not ${host}`)
  return await acceptInward({
    socket: guest,
    protocol: "http/1.1",
    secureContext: await serverContext(interception, host)
  })
}

interface Images {
  readonly access: CacheAccess
  /** The guest's, of all its connections. */
  readonly heads: Heads
}

/**
 * Serves requests that get the values of secrets. The cache is behind the interception, in place of the registry: it has the guest's requests with
 * their credentials, which the registry judges for each layer, and its answers lose the values as the registry's own would.
 */
const serveWithSecrets = async (
  inward: TLSSocket,
  upstream: Upstream,
  { access, heads }: Images,
  onEnd: (served: Served) => void
) => {
  const { interception, name } = upstream.dial
  const [near, far] = await socketPair()
  let denial: Served["denial"]
  serve(far, upstream, access, (served) => onEnd(denial === undefined ? served : { ...served, denial }), true)
  // It comes paused.
  near.resume()
  passHttp1({
    inward,
    outward: near,
    host: name!,
    interception: interception!,
    heads,
    onDenied: (detail) => (denial ??= { detail })
  })
}

/**
 * Serves a guest's connection to a registry of images, with or without TLS: layers come from the cache, and everything else from the registry.
 * `onEnd` is called once, when the connection is over.
 */
export const serveImages = async (
  guest: Socket,
  message: DialMessage,
  images: Images,
  onEnd: (served: Served) => void
): Promise<void> => {
  const { access } = images
  guest.on("error", () => {})
  const { interception } = message
  const isTls = await speaksTls(guest)
  const upstream = { dial: message, trust: access.trust, isTls, silentMs: access.silentMs }
  const hasSecrets = interception !== undefined && interception.secrets.length + interception.foreign.length > 0
  if (!isTls && !hasSecrets) return serve(guest, upstream, access, onEnd)
  // A registry that gets a secret proves who it is to this host.
  if (interception === undefined || (!hasSecrets && !await isTrusted(upstream))) {
    return await passBytes(guest, message, onEnd)
  }
  const inward = isTls ? await acceptTls(guest, interception, message.name!).catch(() => undefined) : undefined
  if (inward === undefined) {
    guest.destroy()
    return onEnd(nothingServed)
  }
  if (!hasSecrets) return serve(inward, upstream, access, onEnd)
  await serveWithSecrets(inward, upstream, images, onEnd).catch(() => {
    inward.destroy()
    onEnd(nothingServed)
  })
}
