import type { IncomingMessage } from "node:http"
import type { Download } from "./download.ts"
import type { Entry } from "./entry.ts"
import type { Exchange } from "./exchange.ts"
import type { PackageCache } from "./PackageCache.ts"
import { respond } from "./respond.ts"
import { addressOf } from "./upstream.ts"

/** Time for which a delivery is remembered, in ms. */
const RECENT_MS = 10 * 60_000
/** Bounded, because guests choose the requests. */
const MAX_RECENT = 16_384

/** Which guest got which entry a moment ago. */
class Recent {
  readonly #times = new Map<string, number>()

  add(group: string, key: string, nowMs: number) {
    const name = `${group} ${key}`
    this.#times.delete(name)
    this.#times.set(name, nowMs)
    if (this.#times.size > MAX_RECENT) this.#times.delete(this.#times.keys().next().value!)
  }

  has(group: string, key: string, nowMs: number): boolean {
    const time = this.#times.get(`${group} ${key}`)
    return time !== undefined && nowMs - time < RECENT_MS
  }
}

/** Recent deliveries to guests. */
const recent = new Recent()

/** A guest that asks for the size or a part of a file asks for the file later. */
const noteDelivery = ({ nowMs }: PackageCache, { request: { headers, method }, upstream }: Exchange, key: string) => {
  if (method === "GET" && headers.range === undefined) recent.add(upstream.dial.group, key, nowMs())
}

/** Gives the guest a kept answer. */
export const sendEntry = async (cache: PackageCache, exchange: Exchange, entry: Entry) => {
  const { key } = entry.head
  await entry.used(cache.nowMs()).catch(() => {})
  noteDelivery(cache, exchange, key)
  const onDamage = () => void cache.store.remove(key).catch(() => {})
  await respond(exchange, {
    head: entry.head,
    bytes: entry.bodyBytes,
    open: (part) => entry.body(onDamage, part),
    count: (bytes) => (exchange.tally.cachedBytes += bytes)
  })
}

/** Gives the guest an answer that arrives now. `from` is the answer if this guest asked for it. */
export const sendDownload = async (
  cache: PackageCache,
  exchange: Exchange,
  download: Download,
  from: IncomingMessage | undefined
) => {
  const { tally } = exchange
  const reader = download.reader()
  if (from !== undefined) tally.address = addressOf(from) ?? tally.address
  noteDelivery(cache, exchange, download.head.key)
  await respond(exchange, {
    head: download.head,
    bytes: download.bodyBytes,
    isWhole: true,
    open: () => reader,
    count: (bytes) => {
      if (from === undefined) tally.cachedBytes += bytes
      else tally.fetchedBytes += bytes
    }
  })
}

/** Whether a guest got an entry a moment ago. */
export const gotRecently = (cache: PackageCache, { upstream }: Exchange, key: string): boolean =>
  recent.has(upstream.dial.group, key, cache.nowMs())
