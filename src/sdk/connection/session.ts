import { Effect, Exit, Scope, Semaphore } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { ConnectionLost } from "./failures.ts"
import type { Connection } from "./over.ts"

/**
 * A connection that is made again after a loss. `open` makes each one, in a Scope of its own. Fails with the error of `open` if the first one
 * cannot be made.
 */
export const makeSession = <Link extends object>(open: Effect.Effect<Link, PyroError, Scope.Scope>) =>
  Effect.gen(function*() {
    const parent = yield* Effect.scope
    const one = yield* Semaphore.make(1)
    const opened = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function*() {
        const scope = yield* Scope.fork(parent)
        const connection = yield* restore(open).pipe(
          Scope.provide(scope),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        return { connection, scope }
      })
    )
    let current = yield* opened
    let broken = false
    const left = new WeakSet<Link>()
    // Interruptible during the wait for a daemon. After an interruption the connection stays broken.
    const renew = Effect.gen(function*() {
      yield* Scope.close(current.scope, Exit.void)
      current = yield* opened
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
      failed: (of: Link, failure: ConnectionLost) =>
        Effect.sync(() => {
          if (of === current.connection) broken = true
          if (!failure.mayBeDone) left.add(of)
          return left.has(of) ? new ConnectionLost({ mayBeDone: false }) : failure
        })
    } as const
  })

/** Where the calls of a client get their connection. */
export interface Session<Link extends object = Connection> {
  readonly connection: Effect.Effect<Link, PyroError>
  readonly failed: (of: Link, failure: ConnectionLost) => Effect.Effect<ConnectionLost>
}
