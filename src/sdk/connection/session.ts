import { Effect, Exit, Scope, Semaphore } from "effect"
import { Paths } from "../../system/files/Paths.ts"
import { ensureDaemon, type StartDaemon } from "../model/start-daemon.ts"
import type { BegunRequest } from "../model/started-exec.ts"
import { connect, socketOf, socketTo } from "./connection.ts"
import { ConnectionLost } from "./failures.ts"
import type { Connection } from "./over.ts"

/** A connection to the daemon that reconnects after a loss, and starts a new daemon if the old one is gone. */
export const makeSession = (start: StartDaemon, paths: Paths["Service"], begun?: BegunRequest) =>
  Effect.gen(function*() {
    let early = begun
    const connection = Effect.suspend(() => {
      if (early === undefined) return Effect.flatMap(ensureDaemon(start), (path) => connect(socketTo(path)))
      const first = connect(socketOf(early.socket), early)
      early = undefined
      return first
    })
    const parent = yield* Effect.scope
    const one = yield* Semaphore.make(1)
    const open = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const scope = yield* Scope.fork(parent)
        const made = yield* restore(connection).pipe(
          Effect.provideService(Paths, paths),
          Scope.provide(scope),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        return { connection: made, scope }
      })
    )
    let current = yield* open
    let broken = false
    const left = new WeakSet<Connection>()
    // Interruptible during the wait for a daemon. After an interruption the connection stays broken.
    const renew = Effect.gen(function*() {
      yield* Scope.close(current.scope, Exit.void)
      current = yield* open
      broken = false
    })
    // Only the first of several concurrent callers connects.
    const renewed = Effect.suspend(() => broken ? renew : Effect.void).pipe(
      one.withPermits(1),
      Effect.map(() => current.connection)
    )
    return {
      /** The connection, made again after a loss. */
      connection: Effect.suspend(() => broken ? renewed : Effect.succeed(current.connection)),
      /**
       * Reports a failed request of a connection. Returns the meaning of the failure. If one answer says that the daemon leaves, the daemon
       * started none of the connection's unanswered requests. This includes requests that failed only because the connection ended.
       */
      failed: (of: Connection, failure: ConnectionLost) =>
        Effect.sync(() => {
          if (of === current.connection) broken = true
          if (!failure.mayBeDone) left.add(of)
          return left.has(of) ? new ConnectionLost(false) : failure
        })
    } as const
  })
export type Session = Effect.Success<ReturnType<typeof makeSession>>
