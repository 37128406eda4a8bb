import { Deferred, Effect } from "effect"

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
