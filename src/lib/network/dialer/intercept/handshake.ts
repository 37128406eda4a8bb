import type { Socket } from "node:net"
import { connect, type SecureContext, TLSSocket } from "node:tls"
import type { Hello } from "../../both/first-bytes/hello.ts"
import { inspect, MAX_HELLO_BYTES } from "../../both/first-bytes/inspect.ts"

export const PROTOCOLS = ["h2", "http/1.1"] as const

/** Why a handshake ends: the guest gets the alert (RFC 8446, 6.2), and the person the detail. */
export class HandshakeFailed extends Error {
  readonly alert: number

  constructor(alert: number, detail: string) {
    super(detail)
    this.alert = alert
  }
}

export const ALERTS = {
  handshakeFailure: 40,
  decodeError: 50,
  unrecognizedName: 112,
  noApplicationProtocol: 120
} as const

/** Ends a handshake that has only begun. */
export const sendAlert = (socket: Socket, alert: number) => {
  const FATAL = 2
  socket.end(Buffer.from([21, 3, 3, 0, 2, FATAL, alert]))
}

/** Reads the ClientHello of a guest and puts its bytes back. */
export const readClientHello = (socket: Socket): Promise<Extract<Hello, { readonly _tag: "Tls" }>> =>
  new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0)
    const settle = (end: () => void) => {
      socket.pause()
      socket.off("data", onData).off("end", onEnd).off("close", onEnd)
      if (bytes.length > 0) socket.unshift(bytes)
      end()
    }
    const onEnd = () => settle(() => reject(new HandshakeFailed(ALERTS.decodeError, "the guest ended the connection")))
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      const hello = inspect(bytes.subarray(0, MAX_HELLO_BYTES))
      if (hello._tag === "NeedMore") return
      settle(() => {
        if (hello._tag === "Tls") return resolve(hello)
        const detail = hello._tag === "Malformed" ? hello.detail : "the guest does not speak TLS"
        reject(new HandshakeFailed(ALERTS.decodeError, detail))
      })
    }
    socket.on("data", onData).on("end", onEnd).on("close", onEnd)
    socket.resume()
  })

/** Speaks TLS with the real host. */
export const connectOutward = (
  options: {
    readonly socket: Socket
    readonly host: string
    readonly protocols: ReadonlyArray<string>
    readonly secureContext: SecureContext
  }
): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const { host, protocols, secureContext, socket } = options
    const outward = connect({
      socket,
      servername: host,
      secureContext,
      // NODE_TLS_REJECT_UNAUTHORIZED of the person's shell is for other programs.
      rejectUnauthorized: true,
      ...(protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] })
    })
    const fail = (detail: string) =>
      reject(new HandshakeFailed(ALERTS.handshakeFailure, `TLS with ${host} failed: ${detail}`))
    outward.once("secureConnect", () => resolve(outward))
    outward.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
    outward.once("close", () => fail("the host closed the connection"))
  })

/** Speaks TLS with the guest, as the host's server. */
export const acceptInward = (
  options: {
    readonly socket: Socket
    readonly protocol: string | undefined
    readonly secureContext: SecureContext
  }
): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const { protocol, secureContext, socket } = options
    const inward = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      ...(protocol === undefined ? {} : { ALPNProtocols: [protocol] })
    })
    // OpenSSL has sent its own alert.
    const fail = (detail: string) => reject(new Error(`TLS with the guest failed: ${detail}`))
    inward.once("secure", () => {
      // As Node's tls.Server does: HTTP/2 waits for a socket that still connects.
      Object.assign(inward, { secureConnecting: false })
      resolve(inward)
    })
    inward.on("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message))
    inward.once("close", () => fail("the guest closed the connection"))
  })
