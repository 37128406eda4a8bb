import { Effect, Schedule } from "effect"
import * as Socket from "effect/socket/Socket"
import { withoutLateWrites } from "../../system/processes/unix-socket.ts"
import { waitFor } from "../../system/waits/signal.ts"
import type { WebSocket } from "./page-listener.ts"

/** Unsent bytes of a connection above which its writers wait. */
const HIGH_BYTES = 1024 * 1024

/** Time between two pings of a connection, in ms. A connection that answers none ends: a tunnel may be gone without a word. */
const PING_MS = 30_000

const CLOSING = 2

/** A WebSocket as the library's socket. The library's own form never waits for a slow reader. */
export const socketOf = (webSocket: WebSocket): Effect.Effect<Socket.Socket> => {
  const isOver = () => webSocket.readyState >= CLOSING
  const sent = (chunk: string | Uint8Array) =>
    waitFor<void>((resume) => webSocket.send(chunk, () => resume(Effect.void)))
  return Effect.map(
    Socket.fromWebSocket(Effect.succeed(webSocket as unknown as globalThis.WebSocket)),
    (library) =>
      withoutLateWrites({
        ...library,
        writer: Effect.map(library.writer, ({ write, writeAll }): Socket.Writer => ({
          write: (chunk) =>
            Socket.isCloseEvent(chunk) || webSocket.bufferedAmount < HIGH_BYTES ? write(chunk) : sent(chunk),
          writeAll
        }))
      }, isOver)
  )
}

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
