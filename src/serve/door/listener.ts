import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http"
import { createServer as createTlsServer, type Server as TlsServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { DOOR_PATH, DOOR_PROTOCOL } from "../../contract/wire/token.ts"
import { Pending, type PendingLimits } from "./pending.ts"

// HTTP, TLS and WebSockets of Node, without Effect. The build makes a separate file of this module, which `pyro serve --listen` loads.

/** Limits of the door. */
export interface DoorLimits extends PendingLimits {
  /** Maximum lines of one token. */
  readonly perToken: number
  /** Maximum lines in all. */
  readonly lines: number
  /** Maximum bytes of a message of a WebSocket. A larger one ends the connection with 1009. */
  readonly messageBytes: number
}

/** Certificate and key in PEM. `clientCa`: a client has to show a certificate of this authority too. */
export interface DoorTls {
  readonly cert: Buffer
  readonly key: Buffer
  readonly clientCa?: Buffer | undefined
}

/** A client that the door lets in. */
export interface Admitted {
  /** Id of its token. */
  readonly token: string
  /** Opens a connection to the daemon, which already knows whose it is. Rejects if the daemon does not come. */
  readonly open: () => Promise<Duplex>
}

export interface Refusal {
  readonly status: number
  readonly text: string
}

/** What stands behind the door. */
export interface Behind {
  readonly admit: (authorization: string | undefined, address: string) => Admitted | Refusal
  /** A plain request, such as of a monitor. */
  readonly answer: (asked: {
    readonly path: string
    readonly authorization: string | undefined
  }) => Promise<{ readonly status: number; readonly type: string; readonly body: string }>
  readonly ended: (token: string, address: string, reason: string, bytes: Bytes) => void
}

/** Bytes of a line, from and to the client. */
export interface Bytes {
  received: number
  sent: number
}

export interface Door {
  readonly port: number
  readonly counts: () => {
    readonly pending: number
    readonly lines: number
    readonly dropped: Pending["dropped"]
    readonly bytes: Bytes
  }
  /** Ends the lines of tokens that are not good any more, at once. */
  readonly endUnless: (isGood: (token: string) => boolean) => void
  readonly renew: (tls: DoorTls) => void
  /** Listens no more, and ends each line when what has come of it is passed on. */
  readonly close: () => Promise<void>
}

/** Maximum bytes of a request's head. */
const HEAD_BYTES = 8_192

/** How often Node looks for requests that take too long, in ms. */
const CHECK_MS = 500

/** Bytes that wait for a slow client, above which the daemon's bytes wait as well. */
const HIGH_BYTES = 1_048_576

/** Codes of RFC 6455 with which a line ends: the door goes away, the message is no binary one, and the token is over (of 4000 to 4999). */
const AWAY = 1001
const NOT_BINARY = 1003
const TOKEN_OVER = 4401

/** Time in which the client confirms the end of its line, in ms: longer if it is only to come again. */
const FAREWELL_MS = { [AWAY]: 1_000, [NOT_BINARY]: 200, [TOKEN_OVER]: 200 } as const

const TEXT = "text/plain; charset=utf-8"

const head = (status: number, type: string, length: number) =>
  `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n` +
  `Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n${
    status === 401 ? "WWW-Authenticate: Bearer realm=\"pyro\"\r\n" : ""
  }Connection: close\r\n\r\n`

const refuse = (socket: Duplex, { status, text }: Refusal) => {
  const body = `${text}\n`
  socket.on("error", () => {})
  socket.end(head(status, TEXT, Buffer.byteLength(body)) + body, () => socket.destroy())
}

/** One client's line: each message goes to the daemon, and the daemon's bytes are messages. */
interface Line {
  readonly token: string
  readonly end: (code: keyof typeof FAREWELL_MS, reason: string) => void
}

const join = (webSocket: WebSocket, daemon: Duplex, total: Bytes, ended: (reason: string, bytes: Bytes) => void) => {
  const bytes: Bytes = { received: 0, sent: 0 }
  let reason = "the client has left"
  let isEnding = false
  webSocket.on("error", (error: Error) => {
    reason = error.message
  })
  webSocket.on("message", (message: Buffer, isBinary: boolean) => {
    if (isEnding) return
    if (!isBinary) return end(NOT_BINARY, "a message was text")
    bytes.received += message.length
    total.received += message.length
    if (daemon.write(message)) return
    webSocket.pause()
    daemon.once("drain", () => webSocket.resume())
  })
  daemon.on("data", (chunk: Buffer) => {
    bytes.sent += chunk.length
    total.sent += chunk.length
    webSocket.send(chunk, () => {
      if (daemon.isPaused() && webSocket.bufferedAmount < HIGH_BYTES) daemon.resume()
    })
    if (webSocket.bufferedAmount >= HIGH_BYTES) daemon.pause()
  })
  const end: Line["end"] = (code, why) => {
    if (isEnding) return
    isEnding = true
    reason = why
    webSocket.close(code, why)
    setTimeout(() => webSocket.terminate(), FAREWELL_MS[code])
    if (code === TOKEN_OVER) daemon.destroy()
    // What has come is passed on first.
    else daemon.end()
  }
  daemon.on("error", () => {})
  daemon.on("close", () => end(AWAY, "the daemon has left"))
  webSocket.on("close", () => {
    daemon.end()
    ended(reason, bytes)
  })
  return { end }
}

const fixed = (limits: DoorLimits) => ({
  maxHeaderSize: HEAD_BYTES,
  headersTimeout: limits.timeMs,
  requestTimeout: limits.timeMs,
  keepAliveTimeout: 1,
  connectionsCheckingInterval: CHECK_MS
})

const secure = ({ cert, clientCa, key }: DoorTls) => ({
  cert,
  key,
  ...(clientCa === undefined ? {} : { ca: clientCa })
})

const makeServer = (tls: DoorTls | undefined, limits: DoorLimits): Server | TlsServer =>
  tls === undefined
    ? createServer(fixed(limits))
    : createTlsServer({
      ...fixed(limits),
      ...secure(tls),
      minVersion: "TLSv1.3",
      handshakeTimeout: limits.timeMs,
      requestCert: tls.clientCa !== undefined,
      rejectUnauthorized: tls.clientCa !== undefined
    })

/** Listens. Rejects with Node's error if the address cannot be had. */
export const listen = async (
  { host, limits, port, tls }: {
    readonly host: string
    readonly port: number
    readonly tls?: DoorTls | undefined
    readonly limits: DoorLimits
  },
  behind: Behind
): Promise<Door> => {
  const server = makeServer(tls, limits)
  const pending = new Pending(limits)
  const lines = new Set<Line>()
  const ofToken = new Map<string, number>()
  const total: Bytes = { received: 0, sent: 0 }
  // A last bound, for sockets that Node still has.
  server.maxConnections = 2 * (limits.inAll + limits.lines)
  server.prependListener("connection", (socket: Socket) => {
    socket.on("error", () => {})
    pending.add(socket)
  })
  server.on("tlsClientError", () => {})
  server.on("clientError", (_: Error, socket: Duplex) => socket.destroy())
  server.on("request", (request: IncomingMessage, response) => {
    const { headers: { authorization }, method, url = "" } = request
    response.setHeader("Connection", "close")
    const answered = method === "GET" || method === "HEAD"
      ? behind.answer({ path: url, authorization })
      : Promise.resolve({ status: 405, type: TEXT, body: "only GET\n" })
    void answered.then(({ body, status, type }) => {
      if (status === 401) response.setHeader("WWW-Authenticate", "Bearer realm=\"pyro\"")
      response.writeHead(status, {
        "Content-Type": type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Length": Buffer.byteLength(body)
      })
      response.end(method === "HEAD" ? undefined : body)
    })
  })
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
    handleProtocols: () => DOOR_PROTOCOL
  })
  const admit = (request: IncomingMessage): Admitted | Refusal => {
    const { headers: { authorization, origin, "sec-websocket-protocol": offered = "" }, url } = request
    if (url !== DOOR_PATH) return { status: 404, text: "there is no such door" }
    // A browser sends one, and no page has business here.
    if (origin !== undefined) return { status: 403, text: "a page may not use this door" }
    if (!offered.split(",").some((one) => one.trim() === DOOR_PROTOCOL)) {
      return { status: 400, text: `this door speaks ${DOOR_PROTOCOL}` }
    }
    const admitted = behind.admit(authorization, request.socket.remoteAddress ?? "")
    if ("status" in admitted) return admitted
    if (lines.size >= limits.lines) return { status: 503, text: "too many connections are open" }
    return (ofToken.get(admitted.token) ?? 0) >= limits.perToken
      ? { status: 429, text: `a token has at most ${limits.perToken} connections` }
      : admitted
  }
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const admitted = admit(request)
    if ("status" in admitted) return refuse(socket, admitted)
    const { token } = admitted
    const address = request.socket.remoteAddress ?? ""
    pending.release(request.socket)
    ofToken.set(token, (ofToken.get(token) ?? 0) + 1)
    // It counts from now on: the daemon may need a while to come.
    const line: { token: string; end: Line["end"] } = { token, end: () => void socket.destroy() }
    lines.add(line)
    socket.on("error", () => {})
    socket.once("close", () => {
      lines.delete(line)
      const left = (ofToken.get(token) ?? 1) - 1
      if (left === 0) ofToken.delete(token)
      else ofToken.set(token, left)
    })
    void admitted.open().then((daemon) => {
      // Also if the WebSocket never comes to be.
      socket.once("close", () => void daemon.end())
      if (socket.destroyed) return daemon.destroy()
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        line.end = join(webSocket, daemon, total, (reason, bytes) => behind.ended(token, address, reason, bytes)).end
      })
    }, () => refuse(socket, { status: 503, text: "the daemon does not answer" }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen({ host, port }, () => {
      server.off("error", reject)
      server.on("error", () => {})
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    counts: () => ({ pending: pending.size, lines: lines.size, dropped: pending.dropped, bytes: total }),
    endUnless: (isGood) => {
      for (const line of lines) if (!isGood(line.token)) line.end(TOKEN_OVER, "the token is over")
    },
    renew: (renewed) => (server as TlsServer).setSecureContext?.({ ...secure(renewed), minVersion: "TLSv1.3" }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        pending.close()
        for (const line of lines) line.end(AWAY, "the server goes away")
      })
  }
}
