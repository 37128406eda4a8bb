import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http"
import { pipeline } from "node:stream/promises"
import { named } from "../../../../contract/text/names.ts"
import { type Body, bodyOf } from "../../both/first-bytes/http.ts"
import type { CacheAccess } from "../../model/cache-access.ts"
import type { Remedy } from "../../model/judge.ts"
import { addressOf, ask, type Upstream } from "./upstream.ts"

/** Traffic of a guest's connection so far. */
interface Tally {
  address: string | undefined
  fetchedBytes: number
  cachedBytes: number
  denial: { readonly detail: string; readonly remedy?: Remedy | undefined } | undefined
  failure?: string
}

/** One request of a guest, and the target of its answer. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly access: CacheAccess
  readonly upstream: Upstream
  readonly tally: Tally
  /** Aborted when the guest's connection ends. A response that waits for its turn on the connection has no event. */
  readonly gone: AbortSignal
}

/** Later bytes of the guest may be the rest of such a request. */
const ENDS_CONNECTION = new Set([400, 405, 417])

/** Answers with a sentence. */
export const refuse = ({ response }: Pick<Exchange, "response">, status: number, sentence: string): void => {
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    ...(ENDS_CONNECTION.has(status) ? { connection: "close" } : {})
  })
  response.end(`${sentence}\n`)
}

/** Headers that a registry may need. The cache passes on no others, and no framing. */
const PASSED = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "authorization",
  "cache-control",
  "content-encoding",
  "content-type",
  "cookie",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "npm-auth-type",
  "npm-command",
  "npm-in-ci",
  "npm-otp",
  "npm-scope",
  "npm-session",
  "pacote-integrity",
  "pacote-pkg-id",
  "pacote-req-type",
  "pacote-version",
  "pragma",
  "range",
  "user-agent"
])
const TEXT = /^[\t\x20-\x7e]*$/

/** The headers of a guest's request that the registry gets. */
export const passedHeaders = ({ headers }: Pick<IncomingMessage, "headers">): OutgoingHttpHeaders =>
  named(Object.entries(headers).filter(([name, value]) => PASSED.has(name) && TEXT.test(String(value))))

/** The body that a guest's request announces. `Unknown` for a body whose end servers may read in different ways. */
export const bodyOfRequest = (
  { httpVersion, rawHeaders }: Pick<IncomingMessage, "httpVersion" | "rawHeaders">
): Body => {
  const valuesOf = (wanted: string) =>
    rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]!.toLowerCase() === wanted)
  return bodyOf(valuesOf("content-length"), valuesOf("transfer-encoding"), httpVersion === "1.1")
}

export const isEmpty = (body: Body): boolean => body._tag === "Length" && body.bytes === 0

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

/** Passes a request on to the registry, as the cache has read it, and its answer back. Keeps nothing. */
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
