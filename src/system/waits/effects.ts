import { Deferred, Effect, Exit, type Option, Scope } from "effect"

/** Continues in the next iteration of Node's event loop: after events that are ready, before new input. */
export const yieldToEventLoop: Effect.Effect<void> = Effect.callback((resume) =>
  void setImmediate(() => resume(Effect.void))
)

/** Interrupts an effect after `ms`, also in a finalizer. */
export const withTimeout = <A, E, R>(
  ms: number,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Option.Option<A>, E, R> => Effect.timeoutOption(Effect.interruptible(effect), ms)

/**
 * Runs work once, at its first use, and keeps its result or failure. The first caller runs it to its end. Unlike `Effect.cached`, which
 * interrupts the work if all waiting callers have left, and starts it again for the next.
 */
export const once = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<Effect.Effect<A, E, R>> =>
  Effect.sync(() => {
    const result = Deferred.makeUnsafe<A, E>()
    let hasBegun = false
    return Effect.uninterruptibleMask((restore) => {
      if (hasBegun) return restore(Deferred.await(result))
      hasBegun = true
      return Effect.andThen(Deferred.into(work, result), Deferred.await(result))
    })
  })

/**
 * Acquires all resources of an effect or none: a failure half-way releases the acquired ones at once, and not at the end of the caller's
 * Scope.
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
 * Acquires a resource that a plain call releases at the end of the Scope. For the path of every command: `Effect.acquireRelease` stores the
 * fiber's context for the release, and the comparison of contexts takes longer than most acquisitions.
 */
export const acquirePlain = <A, E, R>(
  acquire: Effect.Effect<A, E, R>,
  release: (acquired: A) => void
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.uninterruptible(
    Effect.flatMap(acquire, (acquired) => Effect.as(atClose(Effect.sync(() => release(acquired))), acquired))
  )

/** Runs an effect, uninterruptibly, when the Scope closes. As cheap as `acquirePlain`. */
export const atClose = (release: Effect.Effect<unknown>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => Scope.addFinalizer(scope, Effect.uninterruptible(release)))
