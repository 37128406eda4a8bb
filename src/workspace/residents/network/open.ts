import { Clock, Effect } from "effect"
import type { OpenConnection } from "../../../contract/rows/workspace-network.ts"
import type { ConnectRequest, DatagramRequest } from "../../../lib/guest-channel/model/network.ts"
import type { FirstIds } from "../../../lib/network/datagrams.ts"
import type { DiallerService, DialRefused } from "../../../lib/network/Dialler.ts"
import type { Served } from "../../../lib/network/model/cache-access.ts"
import { type Denied, judgeAddress, judgeLiteral, judgeName, type Remedy } from "../../../lib/network/model/judge.ts"
import { THIS_HOST } from "../../../lib/network/model/name.ts"
import type { Rules } from "../../../lib/network/model/policy.ts"
import type { HostRule } from "../../../lib/network/model/rule.ts"
import { type OncePermissions, withOnce } from "../../../lib/network/once.ts"
import type { Counts } from "../../../lib/network/splice.ts"
import type { Signal } from "../../../system/waits/signal.ts"
import type { HeaderSecrets } from "../header-secret/header-secrets.ts"
import type { CachedConnection, PackageCaching } from "../package-cache/package-cache.ts"
import type { NewRecord } from "./log.ts"
import type { Pace } from "./pace.ts"

/** What the connections of one guest share. */
export interface Connecting {
  readonly dialler: DiallerService
  /** Name of the guest for the fairness of the dialler. */
  readonly group: string
  /** The rules in force now. */
  readonly rules: () => Rules
  /** Permissions for one connection each. A `run` has none. */
  readonly once?: OncePermissions
  readonly open: Set<Open>
  readonly record: (record: NewRecord) => Effect.Effect<void>
  readonly pace: Pace
  readonly firstIds: FirstIds
  /** How connections to a host get secrets. */
  readonly interceptionOf: HeaderSecrets["interceptionOf"]
  readonly placeholders: HeaderSecrets["placeholders"]
  readonly caching: PackageCaching
}

/** A connection that both sides have. */
export interface Open {
  /** Time of the guest's request, ISO 8601. */
  readonly at: string
  /** Name that the guest asked for; `undefined` for a literal address. */
  readonly name: string | undefined
  /** Address that the guest asked for. */
  readonly literal: string
  readonly port: number
  /** Address that the host connected to. */
  readonly address: string
  readonly viaProxy: boolean
  /** The spent permission for one connection that allowed it; `undefined` if the rules allowed it. */
  readonly once: HostRule | undefined
  /** The first bytes were compared with the name. */
  readonly isInspected: boolean
  readonly counts: Counts
  /** Of a flow of datagrams: the number of its last use, which grows over all flows. */
  readonly datagrams?: { usedAt: number }
  /** What is sent here resets both sides. */
  readonly reset: Signal<Reset>
}

/** Why the host resets a connection. `denied`: the policy forbids the connection now. */
export interface Reset {
  readonly outcome: "allowed" | "denied"
  readonly reason: string
  readonly remedy?: Remedy
}

const denied = ({ reason, remedy }: Pick<Denied, "reason" | "remedy">): Reset => ({
  outcome: "denied",
  reason,
  ...(remedy === undefined ? {} : { remedy })
})

/** Why rules forbid a connection that was made under other rules; `undefined` if they allow the connection. */
export const forbiddenBy = (
  present: Rules,
  { address, isInspected, literal, name, once, port, viaProxy }: Open
): Reset | undefined => {
  const rules = once === undefined ? present : withOnce(present, [once])
  const asked = name === undefined ? judgeLiteral(rules, literal, port) : judgeName(rules, name, port)
  if (asked._tag === "Denied") return denied(asked)
  if (name !== undefined && name !== THIS_HOST && !viaProxy) {
    const dialled = judgeAddress(rules, address, port)
    if (dialled._tag === "Denied") return denied(dialled)
  }
  // Its first bytes may name a host that the rules forbid.
  return name !== undefined && rules.comparesNames && !isInspected
    ? denied({ reason: "the connection is older than the rules for names", remedy: undefined })
    : undefined
}

export const describeOpen = (
  { address, at, counts, datagrams, literal, name, once, port }: Open
): OpenConnection => ({
  at,
  kind: datagrams === undefined ? "connection" : "datagrams",
  host: name ?? literal,
  port,
  address,
  bytesOut: counts.sentBytes,
  bytesIn: counts.receivedBytes,
  ...(once === undefined ? {} : { once: true })
})

/** How a connection ended, as the log has it. */
export type Ended = Pick<NewRecord, "outcome" | "reason" | "remedy">

/** Reason of a connection that the guest ended when it saw the certificate. */
export const UNTRUSTED = "the guest ended TLS when it saw the certificate, and may not trust it"

/** How a refused request ended. */
export const refusedAs = ({ detail, reason, remedy }: DialRefused): Ended => ({
  outcome: reason === "denied" ? "denied" : "failed",
  reason: detail,
  ...(remedy === undefined ? {} : { remedy })
})

export const GAVE_UP: Ended = { outcome: "failed", reason: "the guest gave up before the connection was made" }
export const VM_ENDED: Ended = { outcome: "allowed", reason: "the microVM ended" }

/** A request to connect, or for datagrams, and what the log will say about it. */
export interface Opening {
  readonly request: ConnectRequest | DatagramRequest
  /** Host of the connection; for a name of the package cache, the registry behind the name. */
  readonly name: string | undefined
  readonly port: number
  readonly cache: CachedConnection["cache"] | undefined
  readonly startMs: number
  /** Time of the request, ISO 8601. */
  readonly at: string
  /** The connection, once the guest has it. */
  open: Open | undefined
  /** Why the dial process denied what the guest sent. */
  denial: string | undefined
  /** A permission for one connection is spent. */
  isOnce: boolean
  /** What the cache answered, once the connection is over. */
  served: Served | undefined
}

export const openingOf = (
  request: ConnectRequest | DatagramRequest,
  startMs: number,
  caching: PackageCaching
): Opening => {
  const { name, port } = request
  const cached = name === undefined ? undefined : caching.of(name, port)
  return {
    request,
    name: cached === undefined ? name : cached.registry.host,
    port: cached === undefined ? port : cached.registry.port,
    cache: cached?.cache,
    startMs,
    at: new Date(startMs).toISOString(),
    open: undefined,
    denial: undefined,
    isOnce: false,
    served: undefined
  }
}

/** What the log says about a connection that the cache has answered. */
const servedAs = ({ address, cachedBytes, denial, failure, fetchedBytes }: Served): Partial<NewRecord> => ({
  ...(address === undefined ? {} : { address }),
  bytesIn: fetchedBytes + cachedBytes,
  ...(cachedBytes === 0 ? {} : { cachedBytes }),
  ...(failure === undefined ? {} : { outcome: "failed", reason: failure }),
  ...(denial === undefined ? {} : { outcome: "denied", reason: denial.detail }),
  ...(denial?.remedy === undefined ? {} : { remedy: denial.remedy })
})

/** Writes the entry of a request that is over. */
export const recordEnd = (
  { at, cache, denial, isOnce, name, open, port, request, served, startMs }: Opening,
  ended: Ended,
  record: (record: NewRecord) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
    record({
      at,
      kind: request._tag === "Connect" ? "connection" : "datagrams",
      host: name ?? request.address,
      port,
      ...(open === undefined || cache !== undefined ? {} : { address: open.address }),
      ...(isOnce ? { once: true } : {}),
      ...(denial === undefined ? ended : { outcome: "denied" as const, reason: denial }),
      bytesOut: open?.counts.sentBytes ?? 0,
      bytesIn: open?.counts.receivedBytes ?? 0,
      durationMs: nowMs - startMs,
      ...(served === undefined ? {} : servedAs(served))
    }))
