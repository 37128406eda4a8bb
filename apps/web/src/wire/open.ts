import { Deferred, Effect, type Scope } from "effect"
import * as Socket from "effect/socket/Socket"
import { type Connection, overSocket } from "../../../../src/sdk/over-socket.ts"

/** The browser could not open the connection, or lost it. */
export class NotConnected extends Error {
  override readonly name = "NotConnected"
}

/** An open connection to the daemon of this page, until the Scope closes. `closed` is called once after its end. */
export const openConnection = (
  url: string,
  protocols: Array<string>,
  closed: () => void
): Effect.Effect<Connection, NotConnected, Scope.Scope> =>
  Effect.gen(function*() {
    const opened = yield* Deferred.make<void, NotConnected>()
    const construct = (to: string) => {
      const socket = new globalThis.WebSocket(to, protocols)
      socket.addEventListener("open", () => Deferred.doneUnsafe(opened, Effect.void))
      socket.addEventListener("close", () => {
        Deferred.doneUnsafe(opened, Effect.fail(new NotConnected()))
        closed()
      })
      return socket
    }
    const socket = yield* Effect.provideService(Socket.makeWebSocket(url), Socket.WebSocketConstructor, construct)
    const connection = yield* overSocket(socket)
    yield* Deferred.await(opened)
    return connection
  })
