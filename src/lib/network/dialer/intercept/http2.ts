import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
  type Settings
} from "node:http2"
import { type AnswerFilter, answerFilter } from "./answers.ts"
import {
  type Header,
  type InterceptedConnection,
  judgeRequest,
  MAX_HEADER_BYTES,
  MAX_REQUESTS,
  type RequestVerdict
} from "./request.ts"

/** Bytes that a stream and a session may have on their way: 64 KiB, the default, would bound a download by its round trips. */
const STREAM_WINDOW = 262_144
const SESSION_WINDOW = 1_048_576

const SETTINGS: Settings = {
  enablePush: false,
  initialWindowSize: STREAM_WINDOW,
  maxConcurrentStreams: MAX_REQUESTS,
  maxHeaderListSize: MAX_HEADER_BYTES
}

/** Bounds of a session's memory, in MB, and of a message's header fields. */
const LIMITS = { maxSessionMemory: 10, maxHeaderListPairs: 256, settings: SETTINGS }

/** An error ends its stream or session, which then has a `close` event. */
const ignore = () => {}

const headersOf = (headers: IncomingHttpHeaders): ReadonlyArray<Header> =>
  Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): Header => [name, String(one)])
  )

/** Headers for Node, with several values of one name as a list. */
const outgoing = (headers: ReadonlyArray<Header>): OutgoingHttpHeaders => {
  const values = new Map<string, Array<string>>()
  for (const [name, value] of headers) values.set(name, [...values.get(name) ?? [], value])
  // Without a prototype: a header may be called `__proto__`.
  const named = Object.create(null) as OutgoingHttpHeaders
  for (const [name, all] of values) named[name] = all.length === 1 ? all[0]! : all
  return named
}

const judge = ({ host, interception }: InterceptedConnection, headers: ReadonlyArray<Header>): RequestVerdict => {
  const valuesOf = (wanted: string) => headers.filter(([name]) => name === wanted).map(([, value]) => value)
  const [method = ""] = valuesOf(":method")
  const [target = ""] = valuesOf(":path")
  const hosts = [...valuesOf(":authority"), ...valuesOf("host")]
  return judgeRequest(interception, host, { method, target, hosts, headers })
}

/** Passes HTTP/2 requests on, one stream for each stream. */
export const passHttp2 = (connection: InterceptedConnection): void => {
  const { heads, host, interception, inward, onDenied, outward } = connection
  const filter = answerFilter(interception.secrets)
  const client = connect(`https://${host}`, { createConnection: () => outward, ...LIMITS })
  client.on("error", ignore)
  widen(client)

  const deny = (stream: ServerHttp2Stream, { detail, status }: Extract<RequestVerdict, { _tag: "Denied" }>) => {
    onDenied(detail)
    stream.respond({ ":status": status, "content-type": "text/plain" }, { sendDate: false } as object)
    stream.end(`pyro: ${detail}\n`)
    stream.session?.close()
  }

  const server = createServer(LIMITS)
  server.on("session", (session) => {
    session.on("error", ignore)
    widen(session)
    endTogether(session, client)
  })
  server.on("sessionError", ignore)
  server.on("stream", (stream, headers, flags) => {
    stream.on("error", ignore)
    const given = headersOf(headers)
    if (!heads.reserve(given, (release) => stream.once("close", release))) {
      return stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    }
    const verdict = judge(connection, given)
    if (verdict._tag === "Denied") return deny(stream, verdict)
    const isEnded = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
    exchange(filter, stream, client, outgoing(verdict.headers), isEnded)
  })
  server.emit("connection", inward)
}

const widen = (session: Http2Session) => session.once("connect", () => session.setLocalWindowSize(SESSION_WINDOW))

/** The end of one session ends the other after its streams. */
const endTogether = (guest: Http2Session, client: ClientHttp2Session) => {
  client.once("goaway", () => guest.close())
  client.once("close", () => guest.destroy())
  guest.once("goaway", () => client.close())
  guest.once("close", () => client.destroy())
}

/** Node refuses some headers that its parser accepts. */
const orClose = (stream: ServerHttp2Stream, work: () => void) => {
  try {
    work()
  } catch {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }
}

/** Passes one request and its answer. */
const exchange = (
  filter: AnswerFilter,
  stream: ServerHttp2Stream,
  client: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  isEnded: boolean
) =>
  orClose(stream, () => {
    if (client.closed || client.destroyed) return stream.close(constants.NGHTTP2_REFUSED_STREAM)
    const request = client.request(headers, { endStream: isEnded, waitForTrailers: !isEnded })
    const redacted = (given: IncomingHttpHeaders) => outgoing(filter.headers(headersOf(given)))
    request.on("error", ignore)

    let sent: OutgoingHttpHeaders = {}
    stream.on("trailers", (trailers) => sent = trailers)
    request.on("wantTrailers", () => orClose(stream, () => request.sendTrailers(sent)))
    if (!isEnded) stream.pipe(request)

    let received: OutgoingHttpHeaders = {}
    request.on("headers", (given) => orClose(stream, () => stream.closed || stream.additionalHeaders(redacted(given))))
    request.on("trailers", (trailers) => received = redacted(trailers))
    request.once("response", (given, flags) =>
      orClose(stream, () => {
        if (stream.closed || stream.destroyed) return
        const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
        stream.on("wantTrailers", () => orClose(stream, () => stream.sendTrailers(received)))
        stream.respond(redacted(given), { endStream, waitForTrailers: !endStream, sendDate: false } as object)
        if (!endStream) request.pipe(filter.body()).pipe(stream)
      }))
    request.once("close", () => {
      if (request.rstCode !== constants.NGHTTP2_NO_ERROR) stream.close(request.rstCode)
    })
    stream.once("close", () => request.closed || request.close(stream.rstCode || constants.NGHTTP2_CANCEL))
  })
