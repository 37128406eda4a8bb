import type { Effect, Result, Stream } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { AgentCallFailed } from "./errors.ts"

/** A TCP connection of the guest. The end of its Scope resets a connection that is still open. */
export interface GuestSocket {
  /** Bytes that the guest's end sends. Ends at its FIN, fails at its reset. */
  readonly received: Stream.Stream<Uint8Array, AgentCallFailed | ChannelFailed>
  /**
   * The same for each piece in turn, without the cost of a `Stream`. `take` gets each piece first, in the turn of its arrival, and returns
   * `false` to leave a piece to `f`.
   */
  readonly forEachReceived: <E>(
    f: (bytes: Uint8Array) => Effect.Effect<void, E>,
    take?: (bytes: Uint8Array) => boolean
  ) => Effect.Effect<void, AgentCallFailed | ChannelFailed | E>
  /**
   * Waits while the guest's end does not read. Succeeds if the connection is over; `closed` has the outcome. The bytes must not change
   * afterwards.
   */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, ChannelFailed>
  /** Ends the sending of this side. The other side may continue. */
  readonly end: Effect.Effect<void, ChannelFailed>
  /** Waits until both sides have ended. Fails at a reset by the guest's end. */
  readonly closed: Effect.Effect<void, AgentCallFailed | ChannelFailed>
}

/** A port on the guest's loopback. */
export interface PortRequest {
  readonly port: number
  /** 4: 127.0.0.1. 6: ::1. @default 4 */
  readonly family?: 4 | 6 | undefined
  /** Bytes that the guest may send ahead of the reader. @default 1 MiB */
  readonly windowBytes?: number | undefined
}

/** A program of the guest connects to the outside; its `connect()` waits for the answer. */
export interface ConnectRequest {
  readonly _tag: "Connect"
  /** Lower-case name that the program looked up; `undefined` for a literal address. */
  readonly name: string | undefined
  /** Literal that the program connects to. A name's literal is a made-up address of 198.18.0.0/15. */
  readonly address: string
  readonly port: number
  /**
   * Opens the stream: the program's `connect()` succeeds. Sends before it returns. Fails with ECONNABORTED if the program has given up.
   */
  readonly acceptNow: () => Result.Result<Accepted, AgentCallFailed | ChannelFailed>
  /** The program's `connect()` fails with ECONNREFUSED. Without effect on an answered request. */
  readonly refuse: Effect.Effect<void>
  /** Waits until the program has given up. Never ends for an answered request. */
  readonly withdrawn: Effect.Effect<void>
  /** Calls the listener once the program has given up, without a fiber that waits. */
  readonly onWithdrawn: (listener: () => void) => void
}

/** An accepted connection. The caller releases it. */
export interface Accepted {
  /** Waits until the guest has it. */
  readonly socket: Effect.Effect<GuestSocket, AgentCallFailed | ChannelFailed>
  /** Resets a connection that is still open. */
  readonly release: () => void
}

/** A program of the guest looks a name up. */
export interface ResolveRequest {
  readonly _tag: "Resolve"
  /** Lower-case name without a final dot. */
  readonly name: string
  /** Record type, such as 1 for A and 28 for AAAA. */
  readonly type: number
  /** Without effect on an answered or withdrawn request. */
  readonly answer: (answer: DnsAnswer) => Effect.Effect<void>
  /** Waits until the program has given up. Never ends for an answered request. */
  readonly withdrawn: Effect.Effect<void>
}

/**
 * A program of the guest sends datagrams from one port to one address. In the stream, each datagram follows its length in 2 bytes, big
 * endian. A refusal makes the program's socket fail with ECONNREFUSED. The agent has more flows than that: what a refused or forgotten flow sends
 * later is a new request.
 */
export interface DatagramRequest extends Omit<ConnectRequest, "_tag"> {
  readonly _tag: "Datagrams"
}

export type NetworkRequest = ConnectRequest | DatagramRequest | ResolveRequest

export type DnsAnswer =
  /** The agent answers with its own address for the name; a look-up of any type but A gets no data. */
  | { readonly _tag: "Address" }
  | { readonly _tag: "NoData" }
  | { readonly _tag: "NoSuchName" }
  | { readonly _tag: "ServerFailure" }
  /** `count` complete resource records without compression, 16 384 bytes at most; more becomes a server failure. */
  | { readonly _tag: "Records"; readonly records: Uint8Array; readonly count: number }
