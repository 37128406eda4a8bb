import type { Proxies } from "../../../../system/settings/proxies.ts"
import type { CacheAccess, Served } from "../../model/cache-access.ts"
import type { Remedy } from "../../model/judge.ts"
import type { Authority, Interception } from "../intercept/interception.ts"

/** Threads of libuv's pool in the dial process (UV_THREADPOOL_SIZE). A look-up with a dead resolver keeps one for up to 30 s. */
export const THREADS = 96

// Messages between the daemon and the dial process, as JSON over Node's IPC. Both come from one build.

/** Time for one connection, with the wait for its turn, in ms. A client sends its SYN again after 1, 3, 7, 15 and 31 s. */
export const DIAL_MS = 30_000

/** Why a connection was not made. */
export type DialFailure =
  /** Policy denies the name or the address. */
  | "denied"
  /** The name has no address. */
  | "unresolved"
  /** No route, no address of that family, or a network that is down. */
  | "unreachable"
  /** The other side refused the connection. */
  | "refused"
  | "timeout"
  /** The dial process or the proxy failed, or too many connections wait. */
  | "failed"

export interface DialMessage {
  readonly _tag: "Dial"
  readonly id: number
  /** A name that was judged; undefined: `address` is dialled. */
  readonly name: string | undefined
  readonly address: string | undefined
  readonly port: number
  /** Rules as `parseIpRule` reads them. */
  readonly allowIps: ReadonlyArray<string>
  /** Connections of one group wait for each other, before others wait for them. */
  readonly group: string
  readonly proxies: Proxies
  /** The connection's TLS ends in the dial process. Only with a name. */
  readonly interception?: Interception | undefined
  /** The dial process answers the connection itself, from the cache of packages. Only with a name. */
  readonly cache?: CacheAccess | undefined
}

/** Asks for a certificate authority. */
export interface AuthorityMessage {
  readonly _tag: "MakeAuthority"
  readonly id: number
  readonly hosts: ReadonlyArray<string>
  readonly nowMs: number
}

export interface LookUpMessage {
  readonly _tag: "LookUp"
  readonly id: number
  readonly name: string
  readonly type: number
  readonly group: string
}

/** Asks for the addresses of a name, which the daemon judges and dials. */
export interface AddressesMessage {
  readonly _tag: "FindAddresses"
  readonly id: number
  readonly name: string
  readonly group: string
}

/** The daemon no longer wants the answer. */
interface CancelMessage {
  readonly _tag: "Cancel"
  readonly id: number
}

export type Request = DialMessage | LookUpMessage | AddressesMessage | AuthorityMessage | CancelMessage

/** Goes with the connected socket. */
interface ConnectedMessage {
  readonly _tag: "Connected"
  readonly id: number
  /** Address that was dialled, or the proxy's `host:port`. */
  readonly address: string
  readonly viaProxy: boolean
  /** Bytes that came with a proxy's answer, in base64. */
  readonly head: string
}

export interface RefusedMessage {
  readonly _tag: "Refused"
  readonly id: number
  readonly failure: DialFailure
  readonly detail: string
  readonly remedy?: Remedy | undefined
}

/** One answer of a resolver. */
export interface DnsRecord {
  /** The complete record, without compression, in base64. */
  readonly bytes: string
  /** Host and port that an SRV record names. */
  readonly target: string | undefined
  readonly port: number | undefined
}

export interface AnsweredMessage {
  readonly _tag: "Answered"
  readonly id: number
  readonly outcome: "Records" | "NoData" | "NoSuchName" | "ServerFailure"
  readonly records: ReadonlyArray<DnsRecord>
}

interface AddressesFoundMessage {
  readonly _tag: "AddressesFound"
  readonly id: number
  readonly addresses: ReadonlyArray<string>
}

interface AuthorityMadeMessage {
  readonly _tag: "AuthorityMade"
  readonly id: number
  readonly authority: Authority
}

/** An intercepted connection was denied after it was made. */
interface InterceptionDeniedMessage {
  readonly _tag: "InterceptionDenied"
  readonly id: number
  readonly detail: string
}

/** A connection to the cache of packages is over. */
interface CacheServedMessage {
  readonly _tag: "CacheServed"
  readonly id: number
  readonly served: Served
}

/** The end of a request. */
export type Answer =
  | ConnectedMessage
  | RefusedMessage
  | AnsweredMessage
  | AddressesFoundMessage
  | AuthorityMadeMessage

/** Report of the dial process about a connection after it was made. */
export type Told = CacheServedMessage | InterceptionDeniedMessage

export type Response = Answer | Told
