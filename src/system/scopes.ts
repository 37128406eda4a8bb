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
      const value = yield* restore(Scope.extend(acquire, scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
      return value
    })
  )
