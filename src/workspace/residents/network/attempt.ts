import { Clock, Effect } from "effect"
import type { ConnectRequest } from "../../../guest-channel/network.ts"
import type { Served } from "../../../network/cache-access.ts"
import type { CachedConnection, PackageCaching } from "../package-cache/package-cache.ts"
import type { LiveConnection } from "./live.ts"
import type { NewRecord } from "./log.ts"

/** How a connection ended, as the log has it. */
export type Ended = Pick<NewRecord, "outcome" | "reason" | "option">

/** Reason of a connection that the guest ended when it saw the certificate. */
export const UNTRUSTED = "the guest ended TLS when it saw the certificate, and may not trust it"

/** One request to connect, and what the log will say of it. */
export interface Attempt {
  readonly request: ConnectRequest
  /** Host of the connection; for a name of the package cache, the registry behind the name. */
  readonly name: string | undefined
  readonly port: number
  readonly cache: CachedConnection["cache"] | undefined
  readonly startMs: number
  /** Time of the request, ISO 8601. */
  readonly at: string
  /** The connection, once the guest has it. */
  made: LiveConnection | undefined
  /** Why the dial process denied what the guest sent. */
  denial: string | undefined
  /** What the cache answered, once the connection is over. */
  served: Served | undefined
}

export const attemptAt = (startMs: number, request: ConnectRequest, caching: PackageCaching): Attempt => {
  const { name, port } = request
  const cached = name === undefined ? undefined : caching.of(name, port)
  return {
    request,
    name: cached === undefined ? name : cached.registry.host,
    port: cached === undefined ? port : cached.registry.port,
    cache: cached?.cache,
    startMs,
    at: new Date(startMs).toISOString(),
    made: undefined,
    denial: undefined,
    served: undefined
  }
}

/** What the log says of a connection that the cache has answered. */
const servedAs = ({ address, cachedBytes, denial, fetchedBytes }: Served): Partial<NewRecord> => ({
  ...(address === undefined ? {} : { address }),
  bytesIn: fetchedBytes + cachedBytes,
  ...(cachedBytes === 0 ? {} : { cachedBytes }),
  ...(denial === undefined ? {} : { outcome: "denied", reason: denial.detail }),
  ...(denial?.option === undefined ? {} : { option: denial.option })
})

/** Makes the entry of an attempt that is over. */
export const recordEnd = (
  { at, cache, denial, made, name, port, request, served, startMs }: Attempt,
  ended: Ended,
  record: (record: NewRecord) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
    record({
      at,
      kind: "connection",
      host: name ?? request.address,
      port,
      ...(made === undefined || cache !== undefined ? {} : { address: made.address }),
      ...(denial === undefined ? ended : { outcome: "denied" as const, reason: denial }),
      bytesOut: made?.counts.sentBytes ?? 0,
      bytesIn: made?.counts.receivedBytes ?? 0,
      durationMs: nowMs - startMs,
      ...(served === undefined ? {} : servedAs(served))
    }))
