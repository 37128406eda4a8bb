import { Effect } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { DaemonUnavailable } from "../contract/errors/errors.ts"
import { greetingLine } from "../contract/wire/greeting.ts"
import { ensureDaemon, type StartDaemon } from "../sdk/model/start-daemon.ts"
import { daemonFiles, Paths } from "../system/files/Paths.ts"
import { connectUnix } from "../system/processes/unix-socket.ts"

/** The daemon's socket for programs of other builds. */
const connected = (start: StartDaemon) =>
  Effect.gen(function*() {
    yield* ensureDaemon(start)
    const { portable } = yield* daemonFiles
    return yield* Effect.mapError(connectUnix(portable), ({ message }) => new DaemonUnavailable({ detail: message }))
  })

const write = (text: string) =>
  Effect.callback<void>((resume) => void process.stdout.write(text, () => resume(Effect.void)))

/**
 * Joins stdin and stdout with the daemon of this machine, which starts if none runs. Ends when either side ends. The first line says that the way is
 * open, or the error; the exit status then is 1.
 */
export const serveStdio = (start: StartDaemon): Effect.Effect<number> =>
  Effect.scoped(Effect.gen(function*() {
    const socket = yield* connected(start)
    yield* write(greetingLine({}))
    yield* Effect.callback<void>((resume) => {
      const done = () => resume(Effect.void)
      socket.once("close", done)
      process.stdout.once("error", done)
      process.stdin.once("error", done)
      process.stdin.pipe(socket)
      socket.pipe(process.stdout)
    })
    return 0
  })).pipe(
    Effect.provide(Paths.layer),
    Effect.catch((error: PyroError) => Effect.as(write(greetingLine({ error })), 1))
  )
