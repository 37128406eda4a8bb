import type { IncomingHttpHeaders } from "node:http"
import type { RegistryKind } from "../cache-access.ts"
import type { Content } from "./content.ts"

/** Directives of a Cache-Control header (RFC 9111, 5.2), in lower case. */
const directives = (header: string | undefined) => new Set((header ?? "").toLowerCase().split(/[\s,]+/))

const seconds = (header: string | undefined, name: string): number | undefined => {
  const [, number] = new RegExp(`(?:^|[\\s,])${name}="?(\\d{1,9})`).exec((header ?? "").toLowerCase()) ?? []
  return number === undefined ? undefined : Number(number)
}

/** An index that a registry calls fresh for longer is asked about after this time, in seconds. */
const MAX_FRESH_S = 3_600

/** What a client asks of a cache. */
export interface Demand {
  /** The client wants no answer that was kept: it may have found one that is damaged. */
  readonly isNew: boolean
  /** Maximum age of an index, in seconds. */
  readonly maxAgeS: number
  /** Nothing of the answer may be kept. */
  readonly isPrivate: boolean
}

export const demandOf = (headers: IncomingHttpHeaders, kind: RegistryKind): Demand => {
  const control = headers["cache-control"]
  const given = directives(control)
  const isUncached = given.has("no-cache") || (control === undefined && headers.pragma?.toLowerCase() === "no-cache")
  return {
    // Maven sends `no-cache` with every request.
    isNew: isUncached && kind !== "maven",
    maxAgeS: isUncached ? 0 : seconds(control, "max-age") ?? Infinity,
    isPrivate: given.has("no-store") || headers.authorization !== undefined || headers.cookie !== undefined
  }
}

/** Whether an entry answers the client without a question to the registry. */
export const isFresh = (
  { keeps }: Content,
  entry: { readonly cacheControl: string | undefined; readonly validatedMs: number },
  { maxAgeS }: Demand,
  nowMs: number
): boolean => {
  if (keeps === "immutable") return true
  const ageS = (nowMs - entry.validatedMs) / 1000
  const freshS = directives(entry.cacheControl).has("no-cache") ? 0 : seconds(entry.cacheControl, "max-age") ?? 0
  // A clock that was set back makes an entry stale.
  return ageS >= 0 && ageS < Math.min(freshS, maxAgeS, MAX_FRESH_S)
}

/** Codings that the cache can undo for a client that does not know them. */
const CODINGS = new Set([undefined, "identity", "gzip"])

/** Whether an answer may be kept for everybody. */
export const isKeepable = (status: number, headers: IncomingHttpHeaders): boolean => {
  const given = directives(headers["cache-control"])
  return status === 200 && !given.has("no-store") && !given.has("private") && headers.vary?.includes("*") !== true &&
    CODINGS.has(headers["content-encoding"]?.toLowerCase())
}
