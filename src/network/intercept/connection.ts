import type { TLSSocket } from "node:tls"
import type { Heads } from "./heads.ts"
import type { Interception } from "./interception.ts"

/** Both ends of an intercepted connection after their handshakes. */
export interface InterceptedConnection {
  /** The guest's. */
  readonly inward: TLSSocket
  /** The real host's. */
  readonly outward: TLSSocket
  readonly host: string
  readonly interception: Interception
  /** The guest's, of all its connections. */
  readonly heads: Heads
  /** Tells the daemon why a request was denied; once a connection. */
  readonly onDenied: (detail: string) => void
}

/** Maximum bytes of a request's or response's header. */
export const MAX_HEADER_BYTES = 65_536
/** Maximum requests of a connection that are under way. */
export const MAX_REQUESTS = 100
