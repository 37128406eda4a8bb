import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http"
import { pipeline } from "node:stream/promises"
import { named } from "../../contract/names.ts"
import type { Exchange } from "./exchange.ts"
import { addressOf, ask } from "./upstream.ts"

/** Headers that belong to one connection (RFC 9110, 7.6.1), and the name of the other side. */
const HOP = new Set([
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
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
  await pipeline(counted(answer, exchange), exchange.response)
}

/** Passes a request on to the registry, with its body, and its answer back. Nothing of them is kept. */
export const pass = async (exchange: Exchange): Promise<void> => {
  const { request, response, upstream } = exchange
  const controller = new AbortController()
  response.once("close", () => controller.abort())
  const hasBody = request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined
  const answer = await ask(upstream, {
    method: request.method!,
    path: request.url!,
    headers: withoutHop(request.headers),
    body: hasBody ? request : undefined,
    signal: controller.signal
  })
  await relay(exchange, answer)
}
