import { setMaxListeners } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { wallClockNs } from "../../../../system/waits/time.ts"
import { refusalOf } from "../../both/dial/refusal.ts"
import type { CacheAccess, Served } from "../../model/cache-access.ts"
import { answer } from "./answer.ts"
import { type Exchange, refuse } from "./exchange.ts"
import { PackageCache } from "./PackageCache.ts"
import { Store } from "./store.ts"
import type { Upstream } from "./upstream.ts"

/** Maximum bytes of a request's header. */
const MAX_HEADER_BYTES = 8_192
const MAX_JUDGED_BYTES = 131_072
/** Maximum requests of a connection that are under way: apt sends ten. Their headers are in the memory of this process. */
const MAX_REQUESTS = 16
/** A connection without a byte for this time ends, in ms. A client keeps its connections for less. */
const IDLE_MS = 120_000

/** Each request under way listens for the end of its connection, at several places. */
const MAX_LISTENERS = 4 * MAX_REQUESTS

const nowMs = () => Number(wallClockNs() / 1_000_000n)

interface Connection extends Pick<Exchange, "access" | "gone" | "tally" | "upstream"> {
  /** Requests without a whole answer. */
  underWay: number
}

const connections = new WeakMap<Socket, Connection>()

const caches = new Map<string, Promise<PackageCache>>()

/** One cache for each folder. A folder that cannot be used now is tried again. */
const cacheIn = ({ directory, maxBytes, reserveBytes }: CacheAccess): Promise<PackageCache> => {
  const known = caches.get(directory)
  if (known !== undefined) return known
  const opened = Store.open(directory, { maxBytes, reserveBytes }).then((store) => new PackageCache(store, nowMs))
  opened.catch(() => caches.delete(directory))
  caches.set(directory, opened)
  return opened
}

const serveRequest = async (request: IncomingMessage, response: ServerResponse) => {
  const connection = connections.get(request.socket)!
  const { access, gone, tally, upstream } = connection
  connection.underWay += 1
  response.once("close", () => {
    connection.underWay -= 1
    // Broken before its turn. Node 20 ends the connection at that turn by itself; Node 24 would wait for the answer for ever.
    if (!response.writableFinished) response.once("socket", (socket) => socket.destroy())
  })
  if (connection.underWay > MAX_REQUESTS) return void request.socket.destroy()
  const exchange: Exchange = { request, response, access, gone, tally, upstream }
  const { name } = upstream.dial
  try {
    await answer(await cacheIn(access), exchange)
  } catch (error) {
    const { failure, message, remedy } = refusalOf(error)
    if (failure === "denied") tally.denial = { detail: message, remedy }
    else if (access.kind === "images" && !gone.aborted) tally.failure = message
    if (gone.aborted) return
    refuse(exchange, failure === "denied" ? 403 : 502, `The package cache cannot reach ${name}: ${message}.`)
  }
}

const makeServer = (maxHeaderSize: number) => {
  const server = createServer({ maxHeaderSize, keepAliveTimeout: 0, requireHostHeader: true })
  server.on("request", serveRequest)
  server.on("checkExpectation", (_, response: ServerResponse) => refuse({ response }, 417, "Send no Expect header."))
  server.on(
    "connect",
    (_, socket: Socket) => void socket.end("HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n\r\n")
  )
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (!socket.writable) return void socket.destroy()
    const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request"
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, () => socket.destroy())
  })
  return server
}

const ofGuests = makeServer(MAX_HEADER_BYTES)
/** For requests that the interception has judged and bounded: a login makes a header longer. */
const ofJudged = makeServer(MAX_JUDGED_BYTES)

/** Serves a guest's connection, or the requests that an interception passes on. `onEnd` is called once, when the connection is over. */
export const serve = (
  socket: Socket,
  upstream: Upstream,
  access: CacheAccess,
  onEnd: (served: Served) => void,
  isJudged = false
): void => {
  const tally: Connection["tally"] = { address: undefined, fetchedBytes: 0, cachedBytes: 0, denial: undefined }
  const connection = new AbortController()
  const { signal: gone } = connection
  setMaxListeners(MAX_LISTENERS, gone)
  connections.set(socket, { access, gone, tally, upstream, underWay: 0 })
  socket.once("close", () => {
    connection.abort()
    onEnd(tally)
  })
  // A guest that waits for its registry is silent, too.
  socket.setTimeout(Math.max(IDLE_MS, 2 * (access.silentMs ?? 0)), () => socket.destroy())
  const server = isJudged ? ofJudged : ofGuests
  server.emit("connection", socket)
  // It comes paused.
  socket.resume()
}
