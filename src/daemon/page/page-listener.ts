import { createServer, type IncomingMessage, STATUS_CODES } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { PAGE_PROTOCOL } from "../../contract/wire/page.ts"
import { peerUser } from "../../system/processes/tcp-peer.ts"
import type { Answer, Asked } from "./answers.ts"

// HTTP and WebSockets of Node, without Effect. The build makes a separate file of this module, which a daemon loads with its first page.

export type { WebSocket }

/** What the server does with requests. */
export interface Behind<Session> {
  readonly answer: (asked: Asked) => Answer
  readonly admit: (asked: Asked) => { readonly session: Session } | Answer
  readonly connected: (socket: WebSocket, session: Session) => void
}

export interface Listener {
  readonly port: number
  /** Refuses new connections, and ends the open ones. */
  readonly close: () => Promise<void>
}

/** Limits of the server. */
export interface Limits {
  /** Maximum WebSockets at a time. */
  readonly webSockets: number
  /** Maximum TCP connections at a time. */
  readonly connections: number
  /** Time in which a client sends the head of a request, in ms. */
  readonly headMs: number
  /** Maximum bytes of a message of a WebSocket. A larger one ends the connection with 1009. */
  readonly messageBytes: number
  /** The only user of this host whose programs may connect. Undefined: any whom the kernel names. A session is of one of them. */
  readonly user: number | undefined
}

/** Maximum bytes of a request's head. */
const HEAD_BYTES = 16 * 1024
/** How often Node looks for requests that take too long, in ms. */
const CHECK_MS = 500

const askedOf = ({ headers, method, url }: IncomingMessage, user: number | undefined): Asked => ({
  method: method ?? "",
  target: url ?? "",
  host: headers.host,
  origin: headers.origin,
  cookie: headers.cookie,
  protocols: headers["sec-websocket-protocol"],
  user
})

const refuse = (socket: Duplex, { body, headers, status }: Answer) => {
  const bytes = Buffer.from(body)
  const head = Object.entries({ ...headers, "Connection": "close", "Content-Length": String(bytes.length) })
  socket.on("error", () => {})
  socket.end(
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${
          head.map(([name, value]) => `${name}: ${value}\r\n`).join("")
        }\r\n`,
        "latin1"
      ),
      bytes
    ]),
    () => socket.destroy()
  )
}

const TOO_MANY: Answer = {
  status: 503,
  headers: { "Content-Type": "text/plain; charset=utf-8" },
  body: "Too many pages are open.\n"
}

/** Listens on 127.0.0.1. Fails with Node's error if the port is not free. Port 0 is a free port of the kernel's choice. */
export const listen = async <Session>(
  port: number,
  behind: Behind<Session>,
  limits: Limits
): Promise<Listener> => {
  const server = createServer({
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: limits.headMs,
    requestTimeout: 2 * limits.headMs,
    keepAliveTimeout: limits.headMs,
    connectionsCheckingInterval: CHECK_MS
  })
  server.maxConnections = limits.connections
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.messageBytes,
    perMessageDeflate: false,
    handleProtocols: () => PAGE_PROTOCOL
  })
  const sockets = new Set<Duplex>()
  const users = new WeakMap<Duplex, number>()
  let open = 0
  server.on("connection", (socket: Socket) => {
    socket.on("error", () => {})
    // Before the first byte is read. A tunnel of ssh runs as its user, too.
    const user = peerUser(socket.remotePort ?? 0, socket.localPort ?? 0)
    if (user === undefined || (limits.user !== undefined && user !== limits.user)) return socket.destroy()
    users.set(socket, user)
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
  })
  server.on("request", (request, response) => {
    const { body, headers, status } = behind.answer(askedOf(request, users.get(request.socket)))
    const length = Buffer.byteLength(body)
    // The rest of a body is of no use. Without this, Node would read all of it.
    if (request.method !== "GET" && request.method !== "HEAD") response.setHeader("Connection", "close")
    response.writeHead(status, { ...headers, "Content-Length": String(length) })
    response.end(request.method === "HEAD" ? undefined : body)
  })
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const admitted = behind.admit(askedOf(request, users.get(request.socket)))
    if (!("session" in admitted)) return refuse(socket, admitted)
    if (open >= limits.webSockets) return refuse(socket, TOO_MANY)
    open++
    socket.once("close", () => open--)
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("error", () => {})
      // The reader comes with a later turn, and resumes it: a first request that arrives before would be lost.
      webSocket.pause()
      behind.connected(webSocket, admitted.session)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject)
      server.on("error", () => {})
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  }
}
