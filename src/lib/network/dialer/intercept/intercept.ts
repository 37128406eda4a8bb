import type { Socket } from "node:net"
import { startTimer } from "../../../../system/waits/signal.ts"
import type { Interception } from "../../both/intercept/interception.ts"
import { clientContext } from "../../both/intercept/trust.ts"
import { reset } from "../../model/reset.ts"
import { serverContext } from "./certificates.ts"
import {
  acceptInward,
  ALERTS,
  connectOutward,
  HandshakeFailed,
  PROTOCOLS,
  readClientHello,
  sendAlert
} from "./handshake.ts"
import { passHttp1 } from "./http1.ts"
import { passHttp2 } from "./http2.ts"
import type { Heads } from "./request.ts"
import { socketPair } from "./socket-pair.ts"

/** Time for both handshakes, in ms. */
const HANDSHAKE_MS = 30_000

export interface InterceptOptions {
  /** Connected with the real host, and unread. The interception owns the socket, and closes it also if it cannot begin. */
  readonly socket: Socket
  readonly host: string
  readonly interception: Interception
  /** The guest's, of all its connections. */
  readonly heads: Heads
  /** Gets the reason if TLS fails or a request is denied; once at most. */
  readonly onDenied: (detail: string) => void
}

/**
 * Ends TLS between the guest and `host`, whose requests get the values of secrets. Gives the socket that replaces the real one: its bytes are the
 * guest's. The end of either socket ends the other.
 */
export const intercept = async (options: InterceptOptions): Promise<Socket> => {
  const { socket } = options
  const onDenied = once(options.onDenied)
  socket.on("error", () => {})
  const [near, far] = await socketPair().catch((error: unknown) => {
    reset(socket)
    throw error
  })
  far.once("close", () => socket.destroy())
  socket.once("close", () => socket.readableEnded || far.destroyed || far.destroySoon())
  const timer = startTimer(HANDSHAKE_MS, () => {
    socket.destroy()
    far.destroy()
  })
  serve({ ...options, onDenied }, far).catch((error: unknown) => {
    onDenied(error instanceof Error ? error.message : String(error))
    socket.destroy()
    if (error instanceof HandshakeFailed && !far.destroyed) sendAlert(far, error.alert)
    else far.destroy()
  }).finally(timer.cancel)
  return near
}

/** A guest can cause any number of denials, so each connection reports one. */
const once = (report: (detail: string) => void) => {
  let isReported = false
  return (detail: string) => {
    if (isReported) return
    isReported = true
    report(detail)
  }
}

const serve = async ({ heads, host, interception, onDenied, socket }: InterceptOptions, guest: Socket) => {
  const { name, protocols = [] } = await readClientHello(guest)
  if (name !== undefined && name.toLowerCase() !== host) {
    throw new HandshakeFailed(
      ALERTS.unrecognizedName,
      `the TLS server name is ${JSON.stringify(name)}, and the connection is to ${host}`
    )
  }
  const known = PROTOCOLS.filter((protocol) => protocols.includes(protocol))
  if (protocols.length > 0 && known.length === 0) {
    throw new HandshakeFailed(ALERTS.noApplicationProtocol, `the guest wants no HTTP with ${host}`)
  }
  const outward = await connectOutward({
    socket,
    host,
    protocols: known,
    secureContext: await clientContext(interception.trust)
  })
  const protocol = outward.alpnProtocol || undefined
  const inward = await acceptInward({ socket: guest, protocol, secureContext: await serverContext(interception, host) })
  const pass = protocol === "h2" ? passHttp2 : passHttp1
  pass({ inward, outward, host, interception, heads, onDenied })
}
