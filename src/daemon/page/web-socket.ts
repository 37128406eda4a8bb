import { Effect, Schedule } from "effect"
import * as Socket from "effect/socket/Socket"
import { withoutLateWrites } from "../../system/processes/unix-socket.ts"
import type { WebSocket } from "./page-listener.ts"

/** Time between two pings of a connection, in ms. A connection without an answer ends: a tunnel may disappear without notice. */
const PING_MS = 30_000

const CLOSING = 2

/**
 * A WebSocket as the library's socket. Nothing waits for a slow reader here: events have credits, as on the daemon's socket, and an answer
 * that waited would hold the same memory.
 */
export const socketOf = (webSocket: WebSocket): Effect.Effect<Socket.Socket> =>
  Effect.map(
    Socket.fromWebSocket(Effect.succeed(webSocket as unknown as globalThis.WebSocket)),
    (socket) => withoutLateWrites(socket, () => webSocket.readyState >= CLOSING)
  )

/** Ends a connection that answers no ping. Does not end by itself. */
export const demandLife = (webSocket: WebSocket): Effect.Effect<never> =>
  Effect.suspend(() => {
    let isAlive = true
    webSocket.on("pong", () => void (isAlive = true))
    const look = Effect.sync(() => {
      if (!isAlive) return webSocket.terminate()
      isAlive = false
      if (webSocket.readyState < CLOSING) webSocket.ping()
    })
    return Effect.andThen(Effect.repeat(look, Schedule.spaced(PING_MS)), Effect.never)
  })
