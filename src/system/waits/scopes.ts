import { Effect, Exit, Scope } from "effect"

/**
 * Acquires everything of an effect as one: when it fails half-way what it had acquired is released at once, not when the caller's
 * Scope ends.
 */
export const allOrNothing = <A, E, R>(
  acquire: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const value = yield* restore(Scope.provide(acquire, scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
      return value
    })
  )

/**
 * Acquires what is released at the end of the Scope by a plain call. For what every command does: `Effect.acquireRelease` keeps the
 * fiber's values of this moment for the release, and comparing them takes longer than most acquisitions.
 */
export const acquirePlain = <A, E, R>(
  acquire: Effect.Effect<A, E, R>,
  release: (acquired: A) => void
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.uninterruptible(
    Effect.flatMap(acquire, (acquired) => Effect.as(atClose(Effect.sync(() => release(acquired))), acquired))
  )

/** Has it run, uninterruptibly, when the Scope closes; cheap in the same way. */
export const atClose = (release: Effect.Effect<unknown>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => Scope.addFinalizer(scope, Effect.uninterruptible(release)))
