import { Deferred, Effect, Exit, type Option, Scope } from "effect"

/** Goes on in the next iteration of Node's event loop: events that are ready come first, new input comes after. */
export const yieldToEventLoop: Effect.Effect<void> = Effect.callback((resume) =>
  void setImmediate(() => resume(Effect.void))
)

/** Waits for an effect no longer than that, also in a finalizer, where a timeout alone could not interrupt what it waits for. */
export const withTimeout = <A, E, R>(
  ms: number,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Option.Option<A>, E, R> => Effect.timeoutOption(Effect.interruptible(effect), ms)

/**
 * Does work once, when it is first asked for, and keeps its result or failure. Whoever asks first does the work, and stays until its end.
 * Not `Effect.cached`, which interrupts the work when all who wait for it have left, and begins it anew for the next.
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
