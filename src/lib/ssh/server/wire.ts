import { Effect, Option, Stream } from "effect"
import { Duplex } from "node:stream"
import { Waiters } from "../../../system/waits/signal.ts"

/** Bytes of one pull: a large piece needs few messages. */
const PIECE_BYTES = 262_144

/**
 * The byte stream of a connection, as a socket for the SSH library. The windows of the connection's channels bound both directions: the client
 * sends no more than the guest takes, and the server no more than the client takes.
 */
export const makeWire = (failed: (cause: unknown) => void) => {
  let waiting: Array<Uint8Array> = []
  let isOver = false
  const readers = new Waiters()
  const over = () => {
    isOver = true
    readers.wake()
  }
  const socket = new Duplex({
    allowHalfOpen: true,
    read: () => {},
    write: (bytes: Uint8Array, _encoding, done) => {
      waiting.push(bytes)
      readers.wake()
      done()
    },
    final: (done) => {
      over()
      done()
    },
    destroy: (_cause, done) => {
      over()
      done(null)
    }
  })
  // An error without a listener would end this process. The library reports its own.
  socket.on("error", () => {})
  // The library works in the listeners of the socket. What it throws must end its connection, and not this process.
  const { emit } = socket
  socket.emit = (...event: Parameters<typeof emit>) => {
    try {
      return emit.apply(socket, event)
    } catch (cause) {
      failed(cause)
      socket.destroy()
      return true
    }
  }

  const take = () => {
    let bytes = 0
    let count = 0
    while (count < waiting.length && (count === 0 || bytes + waiting[count]!.length <= PIECE_BYTES)) {
      bytes += waiting[count]!.length
      count++
    }
    const [first, ...others] = waiting.splice(0, count)
    return others.length === 0 ? first! : Buffer.concat([first!, ...others], bytes)
  }

  return {
    socket,
    /** Passes the bytes of the client to the library until their end. */
    feed: (input: Stream.Stream<Uint8Array>): Effect.Effect<void> =>
      Stream.runForEach(input, (bytes) => Effect.sync(() => void (socket.destroyed || socket.push(bytes)))).pipe(
        Effect.andThen(Effect.sync(() => void (socket.destroyed || socket.push(null))))
      ),
    /** The next bytes for the client. Undefined if none come within `waitMs`. Fails with None at the end. */
    pull: (waitMs?: number): Effect.Effect<Uint8Array | undefined, Option.Option<never>> =>
      Effect.andThen(
        readers.wait(() => waiting.length > 0 || isOver, waitMs),
        Effect.suspend(() =>
          waiting.length > 0
            ? Effect.succeed(take())
            : isOver
            ? Effect.fail(Option.none())
            : Effect.succeed(undefined)
        )
      ),
    /** Ends the connection after the bytes that wait for the client. */
    hangUp: () => {
      over()
      if (!socket.destroyed) socket.end()
    },
    /** Ends the connection without another word. */
    end: () => {
      waiting = []
      socket.destroy()
    },
    isOver: () => isOver
  }
}
