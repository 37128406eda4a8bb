import { Agent, type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { type AnswerFilter, answerFilter } from "./answers.ts"
import { type AnsweredConnection, type Header, judgeRequest, MAX_HEADER_BYTES, MAX_REQUESTS, pairs } from "./request.ts"

const hasBody = ({ headers }: IncomingMessage) =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0

/** Headers that describe the connection, which ends with this answer. */
const OF_CONNECTION = /^(connection|keep-alive|transfer-encoding|upgrade)$/i

/**
 * Passes on a request that asks for another protocol, such as WebSocket, and then the bytes of this protocol, without values in those of the
 * server. A server that
 * refuses the protocol gives its answer, and the connection ends.
 */
const upgrade = (
  { inward, outward }: AnsweredConnection,
  filter: AnswerFilter,
  incoming: IncomingMessage,
  head: Buffer,
  outgoing: ClientRequest
): void => {
  const writeHead = (answer: IncomingMessage, headers: ReadonlyArray<Header>) => {
    const lines = filter.headers(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    inward.write(
      `HTTP/1.1 ${answer.statusCode} ${filter.text(answer.statusMessage ?? "")}\r\n${lines.join("")}\r\n`,
      "latin1"
    )
  }
  outgoing.once("error", () => inward.destroy())
  if (hasBody(incoming)) {
    inward.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\npyro: a request for another protocol has a body\n")
    return void outgoing.destroy()
  }
  outgoing.once("upgrade", (answer, socket: Duplex, rest: Buffer) => {
    writeHead(answer, pairs(answer.rawHeaders))
    const body = filter.body()
    if (rest.length > 0) body.write(rest)
    if (head.length > 0) socket.write(head)
    outward.once("error", () => inward.destroy())
    inward.pipe(socket).pipe(body).pipe(inward)
  })
  outgoing.once("response", (answer) => {
    const headers = pairs(answer.rawHeaders).filter(([name]) => !OF_CONNECTION.test(name))
    writeHead(answer, [...headers, ["Connection", "close"]])
    answer.pipe(filter.body()).pipe(inward)
  })
  outgoing.end()
}

/** The one socket of a connection. Node's agent keeps the order of requests and says when the socket is free. */
class OneSocket extends Agent {
  #socket: Duplex | undefined

  constructor(socket: Duplex) {
    super({ keepAlive: true, maxSockets: 1 })
    this.#socket = socket
  }

  override createConnection(_: unknown, callback?: (error: Error | null, socket: Duplex) => void) {
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined) callback?.(new Error("the connection has ended"), undefined as never)
    return socket
  }
}

/** Methods that have a body only if a header says so (Node adds one to requests of the others). */
const WITHOUT_BODY = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])

/** Without a length and a coding a request has no body (RFC 9112, 6.3). Node would send an empty chunked one. */
const framed = (method: string, headers: ReadonlyArray<Header>): ReadonlyArray<Header> => {
  const isFramed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
  return isFramed || WITHOUT_BODY.has(method) ? headers : [...headers, ["Content-Length", "0"]]
}

/** The proxy gets the host's login, and never one of the guest. */
const forProxy = (
  headers: ReadonlyArray<Header>,
  { authorization }: NonNullable<AnsweredConnection["proxy"]>
): ReadonlyArray<Header> => [
  ...headers.filter(([name]) => !/^proxy-/i.test(name)),
  ...(authorization === undefined ? [] : [["Proxy-Authorization", authorization] as const])
]

const trailers = ({ rawTrailers }: IncomingMessage) => pairs(rawTrailers) as unknown as Array<[string, string]>

const filteredTrailers = (filter: AnswerFilter, { rawTrailers }: IncomingMessage) =>
  filter.headers(pairs(rawTrailers)) as unknown as Array<[string, string]>

const isHost = ([name]: Header) => name.toLowerCase() === "host"
const isCoding = ([name]: Header) => name.toLowerCase() === "transfer-encoding"

/** Passes one request on, and its answer back, through the filter. `inward` is the guest's connection. */
const exchange = (
  { filter, inward }: { readonly filter: AnswerFilter; readonly inward: AnsweredConnection["inward"] },
  incoming: IncomingMessage,
  response: ServerResponse,
  outgoing: ClientRequest
) => {
  // An answer that cannot be whole is cut, as the real connection was.
  const cut = () => inward.destroy()
  outgoing.on("continue", () => response.writeContinue())
  outgoing.on("error", () => response.writableEnded || cut())
  outgoing.once("response", (answer) => {
    const headers = filter.headers(pairs(answer.rawHeaders))
    // A client of HTTP/1.0 knows no chunks.
    const known = incoming.httpVersionMinor === 0 ? headers.filter((header) => !isCoding(header)) : headers
    try {
      response.writeHead(answer.statusCode!, filter.text(answer.statusMessage ?? ""), known.flat())
    } catch {
      // Node refuses some reason phrases that its parser accepts.
      return cut()
    }
    const body = answer.pipe(filter.body())
    body.pipe(response, { end: false })
    body.once("end", () => {
      if (answer.rawTrailers.length > 0) response.addTrailers(filteredTrailers(filter, answer))
      response.end()
    })
    answer.once("error", cut)
  })
  response.once("close", () => response.writableFinished || outgoing.destroy())
  outgoing.flushHeaders()
  incoming.pipe(outgoing, { end: false })
  incoming.once("end", () => {
    if (incoming.rawTrailers.length > 0) outgoing.addTrailers(trailers(incoming))
    outgoing.end()
  })
}

/**
 * Passes HTTP/1.1 requests on, in their order, with their bodies streamed. Node's parser reads each message, and Node writes the message as it was read:
 * both servers agree on where each message ends.
 */
export const passHttp1 = (connection: AnsweredConnection): void => {
  const { heads, host, interception, inward, onDenied, outward, proxy } = connection
  const agent = new OneSocket(outward)
  const filter = answerFilter(interception.secrets)
  let underWay = 0
  // A server ends an idle connection. Its end alone destroys no socket: the host's connections may be half open.
  const closeIfIdle = () => (outward.destroyed || outward.readableEnded) && underWay === 0 && inward.end()

  /** The request to the real host, or the refusal of the guest's one. */
  const forward = (incoming: IncomingMessage) => {
    const headers = pairs(incoming.rawHeaders)
    const { method = "", url: target = "" } = incoming
    const hosts = headers.filter(isHost).map(([, value]) => value)
    const verdict = hosts.length > 1
      ? { _tag: "Denied" as const, status: 400, detail: "the request has several Host headers" }
      : judgeRequest(interception, host, { method, target, hosts, headers })
    if (verdict._tag === "Denied") return verdict
    try {
      const outgoing = request({
        agent,
        method,
        path: proxy === undefined ? target : `${proxy.origin}${target === "*" ? "" : target}`,
        headers: framed(method, proxy === undefined ? verdict.headers : forProxy(verdict.headers, proxy)).flat(),
        setHost: false,
        maxHeaderSize: MAX_HEADER_BYTES
      })
      return { _tag: "Forwarded" as const, outgoing }
    } catch {
      // Node refuses some headers that its parser accepts, such as trailers of a message without chunks.
      return { _tag: "Denied" as const, status: 400, detail: `the request to ${host} has contradictory headers` }
    }
  }

  const serve = (incoming: IncomingMessage, response: ServerResponse) => {
    underWay += 1
    response.once("close", () => {
      underWay -= 1
      closeIfIdle()
    })
    response.sendDate = false
    const fits = heads.reserve(pairs(incoming.rawHeaders), (release) => response.once("close", release))
    if (underWay > MAX_REQUESTS || !fits) return inward.destroy()
    const forwarded = forward(incoming)
    if (forwarded._tag === "Denied") {
      onDenied(forwarded.detail)
      response.writeHead(forwarded.status, { "Content-Type": "text/plain", Connection: "close" })
      return response.end(`pyro: ${forwarded.detail}\n`)
    }
    exchange({ filter, inward }, incoming, response, forwarded.outgoing)
  }

  const server = createServer({ keepAliveTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES })
  // A client may end its side after its last request.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on("request", serve).on("checkContinue", serve).on("checkExpectation", serve)
  server.on("clientError", (error: NodeJS.ErrnoException) => {
    if (underWay > 0 || !inward.writable) return inward.destroy()
    const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request"
    inward.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, () => inward.destroySoon())
  })
  server.on("upgrade", (incoming: IncomingMessage, _: Duplex, head: Buffer) => {
    underWay += 1
    if (!heads.reserve(pairs(incoming.rawHeaders), (release) => inward.once("close", release))) return inward.destroy()
    const forwarded = forward(incoming)
    const denial = forwarded._tag === "Denied" ? forwarded.detail : undefined
    if (denial !== undefined) onDenied(denial)
    if (forwarded._tag === "Forwarded") upgrade(connection, filter, incoming, head, forwarded.outgoing)
    else inward.end(`HTTP/1.1 ${forwarded.status} Denied\r\nConnection: close\r\n\r\npyro: ${denial}\n`)
  })
  outward.once("end", closeIfIdle).once("close", closeIfIdle)
  inward.once("close", () => outward.destroy())
  server.emit("connection", inward)
}
