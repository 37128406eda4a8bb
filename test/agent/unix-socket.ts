import { Effect, Schedule, type Scope } from "effect"
import { connect, type Socket } from "node:net"
import { ChannelFailed } from "../../src/contract/errors/errors.ts"

/** Node 20 cuts a longer path without a word and connects to something else. */
const MAX_SOCKET_PATH_BYTES = 107

/**
 * EAGAIN: the server has not accepted the last of its waiting clients yet.
 * ECONNREFUSED: the server has bound the path and does not listen yet.
 * Both end within moments.
 */
const PASSING: ReadonlyArray<string | undefined> = ["EAGAIN", "ECONNREFUSED"]

const untilAccepting = Schedule.upTo(Schedule.spaced("2 millis"), { times: 500 })

const attempt = (path: string) =>
  Effect.callback<Socket, NodeJS.ErrnoException>((resume) => {
    const socket = connect({ path })
    const failed = (error: Error) => resume(Effect.fail(error))
    socket.once("error", failed)
    socket.once("connect", () => {
      socket.off("error", failed)
      resume(Effect.succeed(socket))
    })
    return Effect.sync(() => socket.destroy())
  })

/** Connects to a Unix socket; it is destroyed when the scope closes. */
export const openUnixSocket = (path: string): Effect.Effect<Socket, ChannelFailed, Scope.Scope> =>
  Effect.suspend(() =>
    Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES
      ? new ChannelFailed({ detail: `${path} is longer than the ${MAX_SOCKET_PATH_BYTES} bytes of a socket's path` })
      : Effect.acquireRelease(
        attempt(path).pipe(
          Effect.retry({ while: (error) => PASSING.includes(error.code), schedule: untilAccepting }),
          Effect.mapError((error) => new ChannelFailed({ detail: error.message }))
        ),
        (socket) => Effect.sync(() => socket.destroy())
      )
  )
