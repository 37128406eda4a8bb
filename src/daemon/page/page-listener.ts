import { createServer, type IncomingMessage, STATUS_CODES } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { PAGE_PROTOCOL } from "../../contract/wire/page.ts"
import { holdPort } from "../../system/processes/held-port.ts"
import type { Answer, Asked } from "./answers.ts"

// HTTP and WebSockets of Node, without Effect. The build makes a separate file of this module, which a daemon loads with its first page.

export type { WebSocket }

/** The server's answers to requests and connections. */
export interface Behind<Session> {
  readonly answer: (asked: Asked) => Answer
  readonly admit: (asked: Asked) => { readonly session: Session } | Answer
  readonly connected: (socket: WebSocket, session: Session) => void
}

export interface Listener {
  readonly port: number
  /** The port was never free since an earlier daemon listened there. */
  readonly wasHeld: boolean
  /** Whether the port stays taken after `close` and after the end of this process, for the next daemon. At first it does not. */
  readonly keep: (isKept: boolean) => void
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

/** Requirements of the port. */
export interface Place {
  /** 0 is a free port of the kernel's choice. */
  readonly port: number
  /** Path of pyro-port. */
  readonly tool: string
  /** Directory of this user alone, in which the next daemon finds the port's holder. */
  readonly directory: string
  /** Called once if the listener closes because the kernel no longer tells the users of connections. */
  readonly onLost: () => void
}

/** Listens on 127.0.0.1. Rejects with PortNotHeld if the port is not free. */
export const listen = async <Session>(
  { directory, onLost, port, tool }: Place,
  behind: Behind<Session>,
  limits: Limits
): Promise<Listener> => {
  const held = await holdPort(tool, directory, port)
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
  const serving = server.listeners("connection") as unknown as ReadonlyArray<(socket: Socket) => void>
  server.removeAllListeners("connection").on("connection", async (socket: Socket) => {
    socket.on("error", () => {})
    sockets.add(socket)
    socket.on("close", () => sockets.delete(socket))
    const tooLate = () => void socket.destroy()
    socket.setTimeout(limits.headMs, tooLate)
    // Each port of each address of 127.0.0.0/8 is free for each user: the kernel is asked about this connection, with both addresses.
    const isOwn = socket.remoteAddress === "127.0.0.1" && socket.localAddress === "127.0.0.1"
    // Node's server reads the first byte after the answer. A tunnel of ssh runs as its user, too.
    const user = isOwn ? await held.userAt(socket.remotePort ?? 0) : undefined
    if (user === undefined || (limits.user !== undefined && user !== limits.user)) return socket.destroy()
    socket.setTimeout(0, tooLate)
    users.set(socket, user)
    for (const serve of serving) serve.call(server, socket)
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
    server.listen(held.listener, () => {
      server.off("error", reject)
      server.on("error", () => {})
      resolve()
    })
  })
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  held.onLost(() => {
    onLost()
    void close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    wasHeld: held.wasHeld,
    keep: held.keep,
    close: async () => {
      await Promise.all([close(), held.release()])
    }
  }
}
