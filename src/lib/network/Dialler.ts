import { Context, Data, Effect, Layer, Result, type Scope } from "effect"
import type { Socket } from "node:net"
import type { Proxies } from "../../system/settings/proxies.ts"
import { nowMs } from "../../system/waits/time.ts"
import type { DnsAnswer } from "../guest-channel/model/network.ts"
import { trustNow } from "./authorities.ts"
import { connectSlots } from "./both/dial/connect-judged.ts"
import { type AnsweredMessage, DIAL_MS, type DialFailure, type RefusedMessage } from "./both/dial/protocol.ts"
import type { Slots } from "./both/dial/slots.ts"
import type { Authority, Interception } from "./both/intercept/interception.ts"
import { connectDirectly, isWithoutProxy, proxiesNow, startDirectly } from "./daemon/dial/connect-directly.ts"
import { startDialProcess } from "./daemon/dial/dial-process.ts"
import { type DatagramSocket, openDatagrams } from "./daemon/dial/open-datagrams.ts"
import { type CacheAccess, nothingServed, type Served } from "./model/cache-access.ts"
import { type Denied, judgeLiteral, judgeName, type Remedy } from "./model/judge.ts"
import { LOOPBACK, THIS_HOST, withoutServiceLabels } from "./model/name.ts"
import { parseIpRules, type Rules } from "./model/policy.ts"

export type { DialFailure } from "./both/dial/protocol.ts"

/** A connection was not made. */
export class DialRefused extends Data.TaggedError("DialRefused")<{
  readonly reason: DialFailure
  /** A sentence without its full stop. */
  readonly detail: string
  /** What would allow a denied connection. */
  readonly remedy: Remedy | undefined
}> {
  override get message() {
    return this.detail
  }
}

export interface DialRequest {
  /** Name that the client asked for; undefined: it asked for `address` itself. */
  readonly name: string | undefined
  /** Address that the client asked for. Unused with a name. */
  readonly address: string
  readonly port: number
  readonly rules: Rules
  /** Requests of one group wait for each other, before others wait for them. */
  readonly group: string
  /** The dial process ends TLS, and puts secrets in. Unused without a name. */
  readonly interception?: HostInterception | undefined
  /** The cache of packages answers in place of the host. Unused without a name. */
  readonly cache?: HostCache | undefined
}

export interface HostCache extends Omit<CacheAccess, "redirects" | "trust"> {
  /** Called once, when the connection is over. */
  readonly onEnd: (served: Served) => void
}

export interface HostInterception extends Pick<Interception, "authority" | "foreign" | "secrets"> {
  /** Gets the reason if TLS fails, or if a request is denied; once at most. */
  readonly onDenied: (detail: string) => void
}

export interface Dialled {
  /** Connected, without Nagle's delay, half-open after an end, unread, and read from `resume` on. The Scope resets it unless both sides have ended. */
  readonly socket: Socket
  /** Address that was dialled; with a proxy the proxy's `host:port`. */
  readonly address: string
  readonly viaProxy: boolean
}

interface LookUpRequest {
  readonly name: string
  /** Type of the record (RFC 1035, 3.2.2). */
  readonly type: number
  readonly rules: Rules
  readonly group: string
}

interface Resolved {
  readonly answer: DnsAnswer
  /** Why policy denies the name; no question left the host. */
  readonly denied: Denied | undefined
}

/** Makes the connections that policy allows. A process of its own resolves names, asks proxies and ends TLS. */
export interface DiallerService {
  /** Judges, resolves, judges each address, and connects. */
  readonly dial: (request: DialRequest) => Effect.Effect<Dialled, DialRefused, Scope.Scope>
  /**
   * The same without a fiber, for a request that has to wait for nothing: `connect()` of the host is called before this returns, and `settle`
   * is called once, with a socket that the caller has to release. The returned function stops the attempt without a call of `settle`. `undefined`
   * for every other request, also a denied one, which `dial` answers.
   */
  readonly dialNow: (
    request: DialRequest,
    settle: (outcome: Dialled | DialRefused) => void
  ) => (() => void) | undefined
  /**
   * Judges, resolves, judges each address, and opens a socket for datagrams to one of them. Fails for what TCP alone reaches: a service of this
   * host, and everything where this host has a proxy.
   */
  readonly openDatagrams: (
    request: Omit<DialRequest, "cache" | "interception">
  ) => Effect.Effect<DatagramSocket, DialRefused, Scope.Scope>
  /** Answers a DNS question. Only SRV, TXT, MX and similar questions for allowed names leave the host. */
  readonly resolve: (request: LookUpRequest) => Effect.Effect<Resolved>
  /** Makes a certificate authority that is good for servers of these hosts alone. */
  readonly makeAuthority: (hosts: ReadonlyArray<string>) => Effect.Effect<Authority, DialRefused>
}

const refused = ({ remedy, reason }: Denied) => new DialRefused({ reason: "denied", detail: reason, remedy })

const failedAs = ({ detail, failure, remedy }: Pick<RefusedMessage, "detail" | "failure" | "remedy">) =>
  new DialRefused({ reason: failure, detail, remedy })

const overTcpAlone = (detail: string) => new DialRefused({ reason: "failed", detail, remedy: undefined })

const interceptionMessage = (
  { authority, foreign, secrets }: HostInterception,
  now: number
): Interception => ({ authority, foreign, secrets, trust: trustNow(), nowMs: now })

const cacheMessage = ({ onEnd: _, ...cache }: HostCache, rules: Rules): CacheAccess => {
  const { allowHosts, denyHosts, isListed, networkPolicy } = rules
  const redirects = cache.kind === "images" ? { allowHosts, denyHosts, isListed, networkPolicy } : undefined
  return { ...cache, redirects, trust: trustNow() }
}

/** Types of address records (RFC 1035, RFC 3596). */
export const TYPE_A = 1
const TYPE_AAAA = 28

/** Leaves out SRV records whose targets policy denies: a client would fail at them, and not ask for the name itself. */
const answerOf = ({ outcome, records }: AnsweredMessage, rules: Rules): DnsAnswer => {
  if (outcome !== "Records") return { _tag: outcome }
  const usable = records.filter(({ port, target }) =>
    target === undefined || judgeName(rules, target, port)._tag === "Allowed"
  )
  return usable.length === 0 ? { _tag: "NoData" } : {
    _tag: "Records",
    records: Buffer.concat(usable.map(({ bytes }) => Buffer.from(bytes, "base64"))),
    count: usable.length
  }
}

/** Judges the name or address of a request. */
const judge = ({ address, name, port, rules }: DialRequest) =>
  // Every address is judged once more before it is dialled, with the host's own addresses.
  name === undefined ? judgeLiteral(rules, address, port, () => []) : judgeName(rules, name, port)

/** Connects with a service of this host. */
const connectToLoopback = (slots: Slots, { group, port }: Pick<DialRequest, "group" | "port">) => {
  const texts = LOOPBACK.map((address) => address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`)
  const allowIps = texts.flatMap((text) => Result.getOrElse(parseIpRules(text), () => []))
  return connectDirectly(slots, Effect.succeed(LOOPBACK), { name: THIS_HOST, port, group, rules: { allowIps } })
}

/** Whether this process connects by itself. */
const isDirect = ({ cache, interception }: DialRequest, proxies: Proxies) =>
  (interception ?? cache) === undefined && isWithoutProxy(proxies)

const make: Effect.Effect<DiallerService, never, Scope.Scope> = Effect.gen(function*() {
  const dialProcess = yield* startDialProcess
  const slots = connectSlots()
  return {
    dial: (request) =>
      Effect.flatMap(nowMs, (now) => {
        const { cache, group, interception, name, port, rules } = request
        const verdict = judge(request)
        if (verdict._tag === "Denied") return Effect.fail(refused(verdict))
        const { host } = verdict
        if (host === THIS_HOST && cache === undefined) {
          return Effect.mapError(connectToLoopback(slots, { port, group }), failedAs)
        }
        const proxies = proxiesNow()
        if (isDirect(request, proxies)) {
          const found = name === undefined
            ? Effect.succeed([host])
            : dialProcess.addressesOf({ name: host, group })
          return Effect.mapError(
            connectDirectly(slots, found, { name: name === undefined ? undefined : host, port, group, rules }),
            failedAs
          )
        }
        const target = name === undefined ? { name, address: host } : { name: host, address: undefined }
        const allowIps = rules.allowIps.map(({ text }) => text)
        const asked = { ...target, port, allowIps, group, proxies }
        const dialled = name === undefined || (interception ?? cache) === undefined
          ? dialProcess.dial(asked)
          : dialProcess.dial({
            ...asked,
            interception: interception && interceptionMessage(interception, now),
            cache: cache && cacheMessage(cache, rules)
          }, (told) => {
            if (told?._tag === "InterceptionDenied") interception?.onDenied(told.detail)
            else cache?.onEnd(told?.served ?? nothingServed)
          })
        return Effect.mapError(dialled, failedAs)
      }),
    dialNow: (request, settle) => {
      const { group, name, port, rules } = request
      if (name !== undefined || !isDirect(request, proxiesNow())) return undefined
      const verdict = judge(request)
      if (verdict._tag === "Denied") return undefined
      return startDirectly(
        slots,
        [verdict.host],
        { name, port, group, rules },
        DIAL_MS,
        (outcome) => settle("failure" in outcome ? failedAs(outcome) : outcome)
      )
    },
    openDatagrams: (request) =>
      Effect.suspend(() => {
        const { group, name, port, rules } = request
        const verdict = judge(request)
        if (verdict._tag === "Denied") return Effect.fail(refused(verdict))
        const { host } = verdict
        if (host === THIS_HOST) return Effect.fail(overTcpAlone(`${THIS_HOST} is reached over TCP alone`))
        if (!isWithoutProxy(proxiesNow())) {
          return Effect.fail(overTcpAlone("this host has a proxy, and UDP does not go through it"))
        }
        const found = name === undefined ? Effect.succeed([host]) : dialProcess.addressesOf({ name: host, group })
        return found.pipe(
          Effect.flatMap((addresses) =>
            openDatagrams(addresses, { name: name === undefined ? undefined : host, port, rules })
          ),
          Effect.mapError(failedAs)
        )
      }),
    makeAuthority: (hosts) =>
      Effect.flatMap(nowMs, (now) => dialProcess.makeAuthority({ hosts, nowMs: now })).pipe(Effect.mapError(failedAs)),
    resolve: ({ group, name, rules, type }) =>
      Effect.suspend((): Effect.Effect<Resolved> => {
        const isAddress = type === TYPE_A || type === TYPE_AAAA
        const verdict = judgeName(rules, isAddress ? name : withoutServiceLabels(name))
        if (verdict._tag === "Denied") {
          return Effect.succeed({ answer: { _tag: "NoSuchName" }, denied: verdict })
        }
        if (verdict.host === THIS_HOST && !isAddress) {
          return Effect.succeed({ answer: { _tag: "NoData" }, denied: undefined })
        }
        if (isAddress) {
          // A connection follows.
          return Effect.as(dialProcess.prepare, {
            answer: { _tag: type === TYPE_A ? "Address" : "NoData" },
            denied: undefined
          })
        }
        return dialProcess.lookUp({ name: name.toLowerCase().replace(/\.$/, ""), type, group }).pipe(
          Effect.map((message): Resolved => ({ answer: answerOf(message, rules), denied: undefined })),
          Effect.orElseSucceed((): Resolved => ({ answer: { _tag: "ServerFailure" }, denied: undefined }))
        )
      })
  }
})

/** The dial process starts with the first request, and ends with the layer's Scope. */
export class Dialler extends Context.Service<Dialler, DiallerService>()("pyro/network/Dialler") {
  static readonly layer: Layer.Layer<Dialler> = Layer.effect(Dialler, make)
}
