import { Effect, Layer, Queue } from "effect"
import * as NetAddress from "effect/net/NetAddress"
import * as RpcServer from "effect/rpc/RpcServer"
import { SocketServer } from "effect/socket/SocketServer"
import { Pyro } from "../../contract/rows/Pyro.ts"
import type { Serving } from "../server/handlers.ts"
import { layerLogged, layerServer } from "../server/server.ts"
import type { WebSocket } from "./page-listener.ts"
import { pagePlaces } from "./places.ts"
import type { KeptSession } from "./sessions.ts"
import { demandLife, socketOf } from "./web-socket.ts"

/** A page's connection, which the listener has let in. */
export interface Connected {
  readonly webSocket: WebSocket
  readonly session: KeptSession
}

/** Every operation over the WebSockets of pages. */
export const layerOperations = (
  serving: Serving,
  connected: Queue.Queue<Connected>,
  open: Map<WebSocket, KeptSession>
) =>
  Layer.unwrap(
    Effect.map(Pyro, (pyro) =>
      layerServer({
        ...serving,
        isReader: ({ annotations }) => annotations.readOnly,
        placesOf: pagePlaces(pyro)
      }))
  ).pipe(
    Layer.provide(RpcServer.layerProtocolSocketServer),
    Layer.provide(Layer.succeed(
      SocketServer,
      SocketServer.of({
        address: NetAddress.unixPathAddress("page"),
        run: (handler) =>
          Effect.scoped(Effect.forever(Effect.flatMap(Queue.take(connected), ({ session, webSocket }) => {
            open.set(webSocket, session)
            return Effect.flatMap(socketOf(webSocket), handler).pipe(
              // The end of a connection is never a fault of this process.
              Effect.raceFirst(demandLife(webSocket)),
              Effect.ignoreCause,
              Effect.ensuring(Effect.sync(() => {
                open.delete(webSocket)
                webSocket.terminate()
              })),
              Effect.forkScoped
            )
          })))
      })
    )),
    Layer.provide(layerLogged)
  )
