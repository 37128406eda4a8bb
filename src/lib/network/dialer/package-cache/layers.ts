import type { IncomingMessage, OutgoingHttpHeaders } from "node:http"
import { judgeName } from "../../model/judge.ts"
import type { Entry } from "./entry.ts"
import { type Exchange, pass, passedHeaders, relay } from "./exchange.ts"
import { ANY, keyOf } from "./keeping.ts"
import type { PackageCache } from "./PackageCache.ts"
import { sendDownload, sendEntry } from "./send.ts"
import { ask, type Upstream } from "./upstream.ts"

// Layers and other blobs of images (github.com/opencontainers/distribution-spec, "Pulling blobs"). Their name is their hash, so that bytes
// from anywhere are right if their hash is. The name is no right to read them: the registry is asked each time, without the body.

/** NAME of the specification, and the hash. */
const BLOB = /^\/v2\/[a-z0-9]+(?:[._/-]+[a-z0-9]+)*\/blobs\/sha256:([0-9a-f]{64})$/

/** Registries send a client to where their blobs are; some of those hosts send it on. */
const MAX_REDIRECTS = 3
const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The key has the registry and no repository: repositories of one registry share their layers, and two registries share none. */
const blobKey = ({ dial }: Upstream, digest: string) => keyOf(dial, `/blobs/sha256:${digest}`, ANY)

/** Where a redirect leads, if the policy of the guest allows that host. */
const targetOf = ({ access: { redirects } }: Exchange, from: Upstream, location: string | undefined, path: string) => {
  const { name, port } = from.dial
  const scheme = from.isTls ?? port === 443 ? "https" : "http"
  const base = `${scheme}://${name}:${port}${path}`
  if (redirects === undefined || location === undefined || !URL.canParse(location, base)) return undefined
  const url = new URL(location, base)
  const isTls = url.protocol === "https:"
  if ((!isTls && url.protocol !== "http:") || url.username !== "") return undefined
  const target = { name: url.hostname, port: Number(url.port === "" ? isTls ? 443 : 80 : url.port) }
  if (judgeName(redirects, target.name, target.port)._tag === "Denied") return undefined
  const upstream: Upstream = { ...from, isTls, dial: { ...from.dial, ...target, address: undefined } }
  return { upstream, path: `${url.pathname}${url.search}`, isSame: target.name === name && target.port === port }
}

/** Asks the registry for a blob as the guest would, and the hosts that the registry names. Credentials go to the registry alone. */
const askFor = async (
  exchange: Exchange,
  options: { readonly method: "GET" | "HEAD"; readonly headers?: OutgoingHttpHeaders; readonly redirects: number }
): Promise<IncomingMessage> => {
  const own = { ...passedHeaders(exchange.request), "accept-encoding": "identity", ...options.headers }
  const { authorization: _, cookie: __, ...others } = own
  let at = { upstream: exchange.upstream, path: exchange.request.url!, isSame: true }
  for (let left = options.redirects;; left--) {
    const answer = await ask(at.upstream, {
      author: "guest",
      method: options.method,
      path: at.path,
      headers: at.isSame ? own : others
    })
    const isRedirect = REDIRECTS.has(answer.statusCode!) && left > 0
    const target = isRedirect ? targetOf(exchange, at.upstream, answer.headers.location, at.path) : undefined
    if (target === undefined) return answer
    answer.resume()
    at = { ...target, isSame: target.isSame && at.isSame }
  }
}

/** Length of the whole content that an answer to a question about it names. */
const lengthOf = ({ headers, statusCode }: IncomingMessage): number | undefined => {
  const [, total] = /^bytes 0-0\/(\d{1,15})$/.exec(headers["content-range"] ?? "") ?? []
  const text = statusCode === 206 ? total : headers["content-length"]
  return text === undefined ? undefined : Number(text)
}

/**
 * Whether the registry gives this guest the blob: it is asked without a body, and for one byte where only a GET says more. A page for people,
 * such as one to log in, has another length.
 */
const mayRead = async (exchange: Exchange, bytes: number | undefined): Promise<boolean> => {
  const isIt = (answer: IncomingMessage) =>
    (answer.statusCode === 200 || answer.statusCode === 206) && (bytes === undefined || lengthOf(answer) === bytes)
  const head = await askFor(exchange, { method: "HEAD", redirects: 0 })
  head.resume()
  if (isIt(head)) return true
  if (!REDIRECTS.has(head.statusCode!) && head.statusCode !== 405) return false
  const part = await askFor(exchange, { method: "GET", headers: { range: "bytes=0-0" }, redirects: MAX_REDIRECTS })
  part.destroy()
  return isIt(part)
}

/** The kept blob, read once: a damaged file is removed before the guest gets a byte of it. */
const intact = async (cache: PackageCache, key: string): Promise<Entry | undefined> => {
  const entry = await cache.store.get(key)
  if (entry === undefined) return undefined
  const reader = entry.body(() => {})
  try {
    for (let bytes = await reader.next(); bytes !== undefined;) bytes = await reader.next()
    return entry
  } catch {
    await entry.close()
    await cache.store.remove(key)
    return undefined
  }
}

/** Answers a request to a registry of images. */
export const answerImages = async (cache: PackageCache, exchange: Exchange): Promise<void> => {
  const { request: { headers, method, url = "" }, upstream } = exchange
  const digest = method === "GET" && headers.range === undefined ? BLOB.exec(url)?.[1] : undefined
  if (digest === undefined) return await pass(exchange)
  const key = blobKey(upstream, digest)
  const entry = await intact(cache, key)
  try {
    if (entry !== undefined || cache.isFetching(key)) {
      if (!await mayRead(exchange, entry?.bodyBytes)) return await pass(exchange)
      if (entry !== undefined) return await sendEntry(cache, exchange, entry)
    }
    const { fetched, isMine } = await cache.fetchNamed(
      key,
      { algorithm: "sha256", digest },
      () => askFor(exchange, { method: "GET", redirects: MAX_REDIRECTS })
    )
    if (fetched._tag === "Download") {
      return await sendDownload(cache, exchange, fetched.download, isMine ? fetched.response : undefined)
    }
    return isMine && fetched._tag === "Unkept" ? await relay(exchange, fetched.response) : await pass(exchange)
  } finally {
    await entry?.close()
  }
}
