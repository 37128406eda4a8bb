import { Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from "node:http"
import type { Duplex, Readable } from "node:stream"
import type { DialMessage } from "../../both/dial/protocol.ts"
import { clientContext } from "../../both/intercept/trust.ts"
import type { Trust } from "../../model/trust.ts"
import { dial } from "../dial/dial.ts"
import { readHere } from "../dial/tunnel.ts"
import { connectOutward } from "../intercept/handshake.ts"

/** Maximum bytes of a registry's header. */
const MAX_HEADER_BYTES = 65_536
/** A registry that sends nothing for this time has failed, in ms. */
const SILENT_MS = 60_000
/** Connections that wait for the next request, in ms. */
const IDLE_MS = 15_000
/** Maximum connections of one guest to one registry. */
const MAX_CONNECTIONS = 32
/** Maximum requests of one guest to one registry without an answer: those of the cache outlive the guest's connection. */
const MAX_UNANSWERED = 512
/** Time for one connection, in ms. */
const CONNECT_MS = 30_000

/** Target of the requests of one connection of a guest. */
export interface Upstream {
  /** The name that policy allows. */
  readonly dial: DialMessage
  readonly trust: Trust
  /** @default whether the port is that of https */
  readonly isTls?: boolean | undefined
  /** See `CacheAccess`. */
  readonly silentMs?: number | undefined
}

const HTTPS_PORT = 443

const addresses = new WeakMap<Duplex, string>()

/** Address of the registry that sent an answer, or the proxy's. */
export const addressOf = ({ socket }: IncomingMessage): string | undefined => addresses.get(socket)

const isTlsOf = ({ dial: { port }, isTls = port === HTTPS_PORT }: Upstream) => isTls

const connectTo = async (upstream: Upstream): Promise<Duplex> => {
  const { dial: message, trust } = upstream
  const { address, head, socket } = await dial(message, AbortSignal.timeout(CONNECT_MS))
  if (head !== "") socket.unshift(Buffer.from(head, "base64"))
  socket.on("error", () => {})
  if (!isTlsOf(upstream)) {
    readHere(socket)
    // It comes paused. A server of HTTP does not speak first.
    socket.resume()
  }
  const connected = isTlsOf(upstream)
    ? await connectOutward({
      socket,
      host: message.name!,
      protocols: ["http/1.1"],
      secureContext: await clientContext(trust)
    })
    : socket
  addresses.set(connected, address)
  return connected
}

/** Connections of one guest to one registry, made as all connections of guests are. Each serves one request at a time. */
class DialledAgent extends Agent {
  /** Requests without an answer. Node's own counts leave out those that wait for a connection to be made. */
  unanswered = 0
  readonly #upstream: Upstream
  /** Listeners that end a waiting connection. */
  readonly #ends = new WeakMap<Duplex, () => void>()

  constructor(upstream: Upstream, keepAlive: boolean) {
    super({ keepAlive, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MS })
    this.#upstream = upstream
  }

  /** Bytes that no request asked for could be read as the answer to the next one. */
  override keepSocketAlive(socket: Duplex) {
    const end = () => socket.destroy()
    this.#ends.set(socket, end)
    socket.on("data", end)
    // The declaration lacks the result: `false` closes the connection.
    return super.keepSocketAlive(socket) as unknown as undefined
  }

  override reuseSocket(socket: Duplex, next: ClientRequest) {
    // The request reads the socket when it has this event: no byte is unseen.
    next.once("socket", () => socket.off("data", this.#ends.get(socket)!))
    super.reuseSocket(socket, next)
  }

  get isIdle() {
    return this.unanswered === 0 &&
      [this.sockets, this.freeSockets, this.requests].every((all) => Object.keys(all).length === 0)
  }

  override createConnection(_: unknown, callback?: (error: Error | null, socket: Duplex) => void) {
    connectTo(this.#upstream).then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as never)
    )
    return undefined
  }
}

/** Guests share no connection: their rules for addresses differ. */
const agents = new Map<string, DialledAgent>()

/** A connection that carried a request of a guest never brings an answer that is kept. */
const agentOf = (upstream: Upstream, { author, body }: UpstreamRequest): DialledAgent => {
  // A registry may answer before it has read the body.
  if (body !== undefined) return new DialledAgent(upstream, false)
  const { allowIps, group, name, port, proxies } = upstream.dial
  const key = JSON.stringify([author, group, name, port, allowIps, proxies, upstream.trust, isTlsOf(upstream)])
  const known = agents.get(key)
  if (known !== undefined) return known
  for (const [other, agent] of agents) if (agent.isIdle) agents.delete(other)
  const agent = new DialledAgent(upstream, true)
  agents.set(key, agent)
  return agent
}

export interface UpstreamRequest {
  /** Who chose the headers. The cache keeps only answers to requests of its own. */
  readonly author: "cache" | "guest"
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  /** @default none */
  readonly body?: Readable | undefined
  readonly signal?: AbortSignal | undefined
}

/** A registry may close a connection that waits, in the moment in which the next request is sent. */
class ConnectionWasOver extends Error {}

/** Sends a request to the registry. Gives the answer, whose body is unread; an abort ends the answer, too. */
export const ask = async (upstream: Upstream, asked: UpstreamRequest): Promise<IncomingMessage> => {
  for (;;) {
    try {
      return await send(upstream, asked)
    } catch (error) {
      if (!(error instanceof ConnectionWasOver) || asked.body !== undefined) throw error
    }
  }
}

const send = async (upstream: Upstream, asked: UpstreamRequest): Promise<IncomingMessage> => {
  const agent = agentOf(upstream, asked)
  if (agent.unanswered >= MAX_UNANSWERED) throw new Error("too many requests to the registry are under way")
  agent.unanswered += 1
  return await sendBy(agent, upstream, asked).finally(() => (agent.unanswered -= 1))
}

const sendBy = (agent: Agent, upstream: Upstream, asked: UpstreamRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { body, headers, method, path, signal } = asked
    const { name, port } = upstream.dial
    const isDefault = port === 80 || port === HTTPS_PORT
    const outgoing = request({
      agent,
      method,
      path,
      headers: { ...headers, host: isDefault ? name : `${name}:${port}` },
      maxHeaderSize: MAX_HEADER_BYTES,
      signal
    })
    outgoing.setTimeout(upstream.silentMs ?? SILENT_MS, () => outgoing.destroy(new Error("the registry sends nothing")))
    outgoing.once("response", resolve)
    outgoing.on(
      "error",
      (error: NodeJS.ErrnoException) =>
        reject(outgoing.reusedSocket && error.code === "ECONNRESET" ? new ConnectionWasOver(error.message) : error)
    )
    if (body === undefined) outgoing.end()
    else body.once("error", (error) => outgoing.destroy(error)).pipe(outgoing)
  })
