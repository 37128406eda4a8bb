import { fromDuplex } from "@effect/platform-node/NodeSocket"
import { Deferred, Effect, type Scope } from "effect"
import * as Socket from "effect/socket/Socket"
import { gitPlacesHeader } from "../../contract/wire/git-places.ts"
import { connectUnix, type LineSocket, withoutLateWrites } from "../../system/processes/unix-socket.ts"
import { processEnvironment } from "../../system/settings/config.ts"
import type { BegunRequest } from "../model/started-exec.ts"
import { type Connection, connectOver, type Far } from "./over.ts"
import { AwaitedRequests } from "./protocol.ts"
import { ReusedReads, withReusedReads } from "./reused-reads.ts"

type NodeSocket = BegunRequest["socket"]

/** Opens a connection. The Scope destroys it. */
export type OpenConnection<E = Socket.SocketError> = Effect.Effect<LineSocket, E, Scope.Scope>

export const socketTo = (path: string): Effect.Effect<NodeSocket, Socket.SocketError, Scope.Scope> =>
  Effect.mapError(
    Effect.suspend(() => {
      const reads = new ReusedReads()
      return Effect.tap(connectUnix(path, { onread: reads.onread }), (socket) => Effect.sync(() => reads.isOf(socket)))
    }),
    (cause) => new Socket.SocketError({ reason: new Socket.SocketOpenError({ kind: "Unknown", cause }) })
  )

/** An open connection. The Scope destroys it. */
export const socketOf = (socket: NodeSocket): OpenConnection =>
  Effect.acquireRelease(Effect.succeed(socket), () => Effect.sync(() => void socket.destroy()))

/** Opens a connection in the caller's scope. */
export const connect = (
  open: OpenConnection,
  begun?: BegunRequest,
  far?: Far
): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.gen(function*() {
    const awaited = new AwaitedRequests()
    const asked = yield* Deferred.make<void>()
    let connected: LineSocket | undefined
    const opened = Effect.tap(open, (socket) => {
      connected = socket
      awaited.connected(socket)
      return begun === undefined ? Effect.void : Deferred.await(asked)
    })
    const reading = withReusedReads(yield* fromDuplex(opened), () => connected)
    const socket = withoutLateWrites(reading, () => connected?.destroyed === true)
    return yield* connectOver(
      socket,
      awaited,
      begun && { id: begun.id, asked },
      () => connected?.destroySoon(),
      // Places of this machine mean nothing on another.
      far === undefined ? gitPlacesHeader(processEnvironment()) : {},
      far
    )
  })
