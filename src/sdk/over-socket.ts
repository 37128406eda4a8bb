import type { Effect, Scope } from "effect"
import type * as Socket from "effect/socket/Socket"
import { type Connection, connectOver } from "./connection/over.ts"

export { ConnectionLost, isLost, type RequestFailure } from "./connection/failures.ts"
export type { InputSink } from "./connection/input-buffer.ts"
export type { Connection } from "./connection/over.ts"

/**
 * Requests and answers over an open transport, until the Scope closes. For programs that start no daemon and are not Node's: this module and its
 * imports use no module of Node. Requests of a lost connection fail with `ConnectionLost`.
 */
export const overSocket = (socket: Socket.Socket): Effect.Effect<Connection, never, Scope.Scope> => connectOver(socket)
