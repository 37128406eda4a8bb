import { Readable, Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import type { CacheAccess, Link } from "../../model/cache-access.ts"
import type { BodyReader, EntryHead } from "./entry.ts"
import type { Exchange } from "./exchange.ts"
import { contentOf } from "./keeping.ts"

/** A request whose answer may get links to the cache. */
interface Asked {
  readonly access: Pick<CacheAccess, "kind" | "link">
  readonly request: {
    readonly url?: string | undefined
    readonly headers: { readonly "user-agent"?: string | undefined }
  }
}

/** The link that the answer gets: in indexes only, and only for the clients of the link. */
export const linkOf = ({ access: { kind, link }, request: { headers, url = "" } }: Asked): Link | undefined =>
  link !== undefined && contentOf(kind, url, "")?.keeps === "index" &&
    (link.client === undefined || headers["user-agent"]?.startsWith(link.client) === true)
    ? link
    : undefined

/** A stream of text. Each step gives the finished text, and the rest that waits for the next piece. */
const transform = (step: (text: string) => readonly [done: string, held: string]) => {
  let held = ""
  return new Transform({
    transform(bytes: Buffer, _, callback) {
      const [done, rest] = step(held + bytes.toString("latin1"))
      held = rest
      callback(null, Buffer.from(done, "latin1"))
    },
    flush(callback) {
      callback(null, Buffer.from(held, "latin1"))
    }
  })
}

/** Replaces a text in a stream, also if a piece ends within the text. */
export const replacing = ({ from, to }: Pick<Link, "from" | "to">): Transform =>
  transform((found) => {
    const text = found.replaceAll(from, to)
    const cut = Math.max(0, text.length - (from.length - 1))
    return [text.slice(0, cut), text.slice(cut)]
  })

/** Numbers of a version without leading zeros, and no build metadata (semver.org). */
const NUMBER = "(?:0|[1-9][0-9]*)"
const VERSION = String.raw`${NUMBER}\.${NUMBER}\.${NUMBER}(?:-[\w.-]+)?`
/** Longer than any link: npm's names have 214 characters at most, its versions 256. */
const MAX_LINK_CHARACTERS = 1_024

const escaped = (text: string) => text.replace(/[^\w]/g, String.raw`\$&`)

/**
 * Replaces the links of an npm document that clients make of the registry, the name and the version. Lock files leave these out. Clients write
 * all others into lock files, so the others stay.
 */
export const replacingTarballs = ({ from, to }: Pick<Link, "from" | "to">, path: string): Transform => {
  const [scope, name] = /^\/(?:(@[^/%]+)(?:%2f|\/))?(.*)$/i.exec(path)!.slice(1, 3) as [string | undefined, string]
  const full = scope === undefined ? escaped(name) : `${escaped(scope)}(?:/|%2[fF])${escaped(name)}`
  const tarball = new RegExp(
    `"${escaped(from).replace("https", "https?")}(${full}/-/${escaped(name)}-${VERSION}\\.tgz")`,
    "g"
  )
  return transform((found) => {
    const text = found.replace(tarball, (_, rest: string) => `"${to}${rest}`)
    // The piece may end within a link, which begins with a quotation mark.
    const cut = Math.max(text.lastIndexOf("\""), text.length - MAX_LINK_CHARACTERS, 0)
    return [text.slice(0, cut), text.slice(cut)]
  })
}

/** A body as the guest gets it. */
interface Body {
  readonly head: EntryHead
  /** Undefined if it is not known yet. */
  readonly bytes: number | undefined
  /** The body can only be read from its beginning to its end. @default false */
  readonly isWhole?: boolean
  /** Reads a part, or all; a part only of a body whose length is known. */
  readonly open: (part?: Part) => BodyReader
  /** Counts bytes that were read. */
  readonly count: (bytes: number) => void
}

/** Bytes from `start` up to `end`, without `end`. */
interface Part {
  readonly start: number
  readonly end: number
}

const readable = (reader: BodyReader, count: (bytes: number) => void) =>
  new Readable({
    read() {
      reader.next().then((bytes) => {
        count(bytes?.length ?? 0)
        this.push(bytes ?? null)
      }, (error: Error) => this.destroy(error))
    },
    destroy(error, callback) {
      reader.close()
      callback(error)
    }
  })

const opaque = (tag: string) => tag.trim().replace(/^W\//, "")

/** Whether the guest has this answer already (RFC 9110, 13.1). */
export const isKnown = ({ request: { headers } }: Exchange, { etag, lastModified }: EntryHead) => {
  const tags = headers["if-none-match"]
  if (tags !== undefined) return etag !== undefined && tags.split(",").map(opaque).includes(opaque(etag))
  const since = headers["if-modified-since"]
  return since !== undefined && lastModified !== undefined && Date.parse(lastModified) <= Date.parse(since)
}

/** The one range that a guest asks for; `Whole` for every other form, which may be ignored (RFC 9110, 14.2). */
const partOf = ({ request: { headers, method } }: Exchange, { etag, lastModified }: EntryHead, size: number) => {
  const condition = headers["if-range"]
  const isSame = condition === undefined || condition === etag || condition === lastModified
  const [, from = "", to = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.range ?? "") ?? []
  if (method !== "GET" || !isSame || (from === "" && to === "")) return "Whole"
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from)
  const end = from === "" || to === "" ? size : Math.min(size, Number(to) + 1)
  return start < end ? { start, end } : "Unsatisfiable"
}

const headersOf = (head: EntryHead) => ({
  ...(head.contentType === undefined ? {} : { "content-type": head.contentType }),
  ...(head.cacheControl === undefined ? {} : { "cache-control": head.cacheControl }),
  ...(head.etag === undefined ? {} : { etag: head.etag }),
  ...(head.lastModified === undefined ? {} : { "last-modified": head.lastModified })
})

/** Gives a body that is kept, or that is being fetched, to the guest. */
export const respond = async (
  exchange: Exchange,
  { bytes, count, head, isWhole = false, open }: Body
): Promise<void> => {
  const { access, request, response } = exchange
  const headers = headersOf(head)
  if (isKnown(exchange, head)) {
    open().close()
    return void response.writeHead(304, headers).end()
  }
  const isCoded = head.contentEncoding !== undefined
  const link = linkOf(exchange)
  const takesCoding = link === undefined && /\bgzip\b/.test(String(request.headers["accept-encoding"] ?? ""))
  const changes = [
    ...(isCoded && !takesCoding ? [createGunzip()] : []),
    ...(link === undefined ? [] : [access.kind === "npm" ? replacingTarballs(link, request.url!) : replacing(link)])
  ]
  const part = changes.length > 0 || bytes === undefined || isWhole ? "Whole" : partOf(exchange, head, bytes)
  if (part === "Unsatisfiable") {
    open().close()
    return void response.writeHead(416, { "content-range": `bytes */${bytes}` }).end()
  }
  const size = part === "Whole" ? bytes : part.end - part.start
  response.writeHead(part === "Whole" ? 200 : 206, {
    ...headers,
    ...(isCoded && takesCoding ? { "content-encoding": head.contentEncoding } : {}),
    ...(isCoded ? { vary: "accept-encoding" } : {}),
    ...(changes.length > 0 || size === undefined ? {} : { "content-length": size }),
    ...(changes.length > 0 || isWhole ? {} : { "accept-ranges": "bytes" }),
    ...(part === "Whole" ? {} : { "content-range": `bytes ${part.start}-${part.end - 1}/${bytes}` })
  })
  if (request.method === "HEAD") {
    open().close()
    return void response.end()
  }
  const source = readable(open(part === "Whole" ? undefined : part), count)
  try {
    await pipeline([source, ...changes, response], { signal: exchange.gone })
  } finally {
    // An aborted pipeline does not destroy the source.
    source.destroy()
  }
}
