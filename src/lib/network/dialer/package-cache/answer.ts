import type { IncomingMessage } from "node:http"
import type { Entry } from "./entry.ts"
import { bodyOfRequest, type Exchange, isEmpty, pass, refuse, relay } from "./exchange.ts"
import { type Content, contentOf, type Demand, demandOf, isFresh, keyOf } from "./keeping.ts"
import { answerImages } from "./layers.ts"
import type { PackageCache } from "./PackageCache.ts"
import { isKnown, linkOf } from "./respond.ts"
import { gotRecently, sendDownload, sendEntry } from "./send.ts"

/** Time in which a registry must answer about an entry that could be served as it is, in ms. */
const VALIDATE_MS = 5_000

/**
 * A guest that got an entry a moment ago, asks again, and does not have it may have found a wrong hash or signature. Its tag proves nothing
 * then: the sender of a wrong body may have sent the right tag. Over TLS, an index comes from the registry, and clients ask for it often.
 */
const isSuspect = (cache: PackageCache, exchange: Exchange, { keeps }: Content, { head }: Entry) =>
  (keeps === "immutable" || exchange.access.kind === "debian") && !isKnown(exchange, head) &&
  gotRecently(cache, exchange, head.key)

/** Answers from the kept entry, after a question to the registry if one is due. */
const answerKept = async (cache: PackageCache, exchange: Exchange, content: Content, demand: Demand) => {
  const { request, upstream } = exchange
  const path = request.url!
  const key = keyOf(upstream.dial, path, content.accept)
  const entry = await cache.store.get(key)
  try {
    const isNew = demand.isNew || (entry !== undefined && isSuspect(cache, exchange, content, entry))
    const isCurrent = entry !== undefined && !isNew &&
      isFresh(content, { cacheControl: entry.head.cacheControl, validatedMs: entry.validatedMs }, demand, cache.nowMs())
    if (entry !== undefined && (isCurrent || (!demand.isNew && cache.isUnreachable(upstream)))) {
      return await sendEntry(cache, exchange, entry)
    }
    // A part of a file that is not kept is no entry.
    if (entry === undefined && request.headers.range !== undefined) return await pass(exchange)
    const asked = { key, path, content, kind: exchange.access.kind, upstream }
    const result = await cache.fetch(
      entry === undefined ? asked : { ...asked, headMs: VALIDATE_MS, ...(isNew ? {} : { known: entry }) }
    ).catch((error: unknown) => {
      // The registry cannot be reached.
      if (entry === undefined) throw error
      return undefined
    })
    await sendFetched(cache, exchange, { key, entry, result })
  } finally {
    await entry?.close()
  }
}

type Result = Awaited<ReturnType<PackageCache["fetch"]>>

const sendFetched = async (
  cache: PackageCache,
  exchange: Exchange,
  { entry, key, result }: {
    readonly key: string
    readonly entry: Entry | undefined
    /** Undefined if the registry cannot be reached. */
    readonly result: Result | undefined
  }
) => {
  if (result === undefined) return await sendEntry(cache, exchange, entry!)
  const { fetched, isMine } = result
  switch (fetched._tag) {
    case "Download":
      return await sendDownload(cache, exchange, fetched.download, isMine ? fetched.response : undefined)
    case "Validated":
      return entry === undefined ? await pass(exchange) : await sendEntry(cache, exchange, entry)
    case "Unkept": {
      if (!isMine) return await pass(exchange)
      const { response } = fetched
      const status = response.statusCode!
      if (entry !== undefined && status >= 500) {
        response.destroy()
        return await sendEntry(cache, exchange, entry)
      }
      // The registry has removed it.
      if (status === 404 || status === 410) await cache.store.remove(key)
      return await relayUnkept(exchange, response)
    }
  }
}

/** Gives the guest an answer to the cache's own request, or passes the guest's request on if it has conditions that the answer ignores. */
const relayUnkept = (exchange: Exchange, response: IncomingMessage) =>
  linkOf(exchange) === undefined && exchange.request.method === "GET" &&
    response.headers["content-encoding"] === undefined
    ? relay(exchange, response)
    : (response.destroy(), pass(exchange))

const READS = new Set(["GET", "HEAD"])
/** Questions about packages that npm sends with POST. */
const AUDITS = /^\/-\/npm\/v1\/(?:security\/|audit)/
const MAX_TARGET_CHARACTERS = 4_096
/** A target in origin form, without a fragment (RFC 9112, 3.2). Servers read `//host/` in different ways. */
const TARGET = /^\/(?!\/)[\x21\x22\x24-\x7e]*$/

/** Answers one request of a guest. Fails if the registry cannot be reached or the guest has disconnected. */
export const answer = async (cache: PackageCache, exchange: Exchange): Promise<void> => {
  const { access, request, upstream } = exchange
  const { headers, method = "", url = "" } = request
  const host = (headers.host ?? "").toLowerCase().replace(/:(?:80|443)$/, "")
  if (!access.names.includes(host)) {
    return refuse(exchange, 421, `This connection serves ${access.names.join(" and ")}.`)
  }
  if (url.length > MAX_TARGET_CHARACTERS || !TARGET.test(url)) {
    return refuse(exchange, 400, "The request has no valid path.")
  }
  const body = bodyOfRequest(request)
  if (body._tag === "Unknown" || (READS.has(method) && !isEmpty(body))) {
    return refuse(exchange, 400, "The request has a body that servers read in different ways.")
  }
  if (!READS.has(method)) {
    return access.kind === "npm" && method === "POST" && AUDITS.test(url)
      ? await pass(exchange)
      : refuse(
        exchange,
        405,
        `The package cache only reads. Send ${method} requests to https://${upstream.dial.name} itself.`
      )
  }
  if (access.kind === "images") return await answerImages(cache, exchange)
  const demand = demandOf(headers, access.kind)
  const content = contentOf(access.kind, url, String(headers.accept ?? ""))
  if (content === undefined || demand.isPrivate) return await pass(exchange)
  await answerKept(cache, exchange, content, demand)
}
