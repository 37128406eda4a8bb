import { Effect, type Option, type Scope, Semaphore } from "effect"

/** A lock that work or a Scope holds, so that each take has its release. */
export interface WorkLock {
  /** Does work with the lock. */
  readonly hold: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Does work with the lock if nobody has it now. None otherwise. */
  readonly holdIfFree: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
  /** Holds the lock until the Scope closes. Only the wait can be interrupted. */
  readonly acquire: Effect.Effect<void, never, Scope.Scope>
}

export const makeWorkLock: Effect.Effect<WorkLock> = Effect.map(Semaphore.make(1), (lock) => ({
  hold: lock.withPermits(1),
  holdIfFree: lock.withPermitsIfAvailable(1),
  acquire: Effect.uninterruptibleMask((restore) =>
    Effect.andThen(restore(lock.take(1)), Effect.addFinalizer(() => lock.release(1)))
  )
}))
