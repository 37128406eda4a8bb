import { Effect, Scope } from "effect"
import type * as Socket from "effect/socket/Socket"

/**
 * The same socket, whose writes after the end of its connection are dropped. In Effect 4.1 they wait for a next connection, which a socket of
 * Node's never has, or for room in a connection that is destroyed: an answer to a client that has left would wait for ever, and with it
 * whoever ends the server.
 */
export const withoutLateWrites = (
  socket: Socket.Socket,
  isDestroyed: () => boolean
): Socket.Socket => {
  let isOver = false
  const unlessOver = <A, E>(write: Effect.Effect<A, E>) =>
    Effect.suspend(() => isOver || isDestroyed() ? Effect.void : Effect.asVoid(write))
  return {
    ...socket,
    reader: Effect.tap(socket.reader, () =>
      Effect.flatMap(Effect.scope, (scope) => {
        isOver = false
        // The Scope runs this before the reader's own end.
        return Scope.addFinalizer(scope, Effect.sync(() => void (isOver = true)))
      })),
    writer: Effect.map(socket.writer, ({ write, writeAll }) => ({
      write: (chunk) => unlessOver(write(chunk)),
      writeAll: (chunks) => unlessOver(writeAll(chunks))
    }))
  }
}
