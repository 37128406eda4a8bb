import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http"
import { pipeline } from "node:stream/promises"
import { named } from "../../contract/text/names.ts"
import type { Exchange } from "./exchange.ts"
import { bodyOfRequest, isEmpty, passedHeaders } from "./request.ts"
import { addressOf, ask } from "./upstream.ts"

/** Headers of an answer that belong to one connection (RFC 9110, 7.6.1). */
const HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

const withoutHop = (headers: IncomingHttpHeaders): OutgoingHttpHeaders => {
  const listed = new Set((headers.connection ?? "").toLowerCase().split(/[\s,]+/))
  return named(Object.entries(headers).filter(([name]) => !HOP.has(name) && !listed.has(name)))
}

/** Counts bytes of an answer as they come from the registry. */
const counted = async function*(response: IncomingMessage, { tally }: Exchange) {
  tally.address = addressOf(response) ?? tally.address
  for await (const bytes of response as AsyncIterable<Buffer>) {
    tally.fetchedBytes += bytes.length
    yield bytes
  }
}

/** Gives an answer of the registry to the guest as it is. */
export const relay = async (exchange: Exchange, answer: IncomingMessage): Promise<void> => {
  exchange.response.writeHead(answer.statusCode!, withoutHop(answer.headers))
  await pipeline(counted(answer, exchange), exchange.response, { signal: exchange.gone })
}

/** Passes a request on to the registry, as the cache has read it, and its answer back. Nothing of them is kept. */
export const pass = async (exchange: Exchange): Promise<void> => {
  const { gone, request, upstream } = exchange
  const body = bodyOfRequest(request)
  const answer = await ask(upstream, {
    author: "guest",
    method: request.method!,
    path: request.url!,
    headers: {
      ...passedHeaders(request),
      ...(body._tag === "Length" && body.bytes > 0 ? { "content-length": body.bytes } : {})
    },
    body: isEmpty(body) ? undefined : request,
    signal: gone
  })
  await relay(exchange, answer)
}
