import { Deferred, Effect, FiberId, type Scope } from "effect"

/** Who takes the process's next signal. */
let holder: Deferred.Deferred<void> | undefined

/** Until the Scope closes, the first signal ends the wait that this gives. */
export const holdSignal: Effect.Effect<Effect.Effect<void>, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => holder = Deferred.unsafeMake<void>(FiberId.none)),
    () => Effect.sync(() => holder = undefined)
  ),
  Deferred.await
)

export const isSignalHeld = (): boolean => holder !== undefined

/** Hands a signal to who holds it, once; false where nobody does. */
export const passSignal = (): boolean => {
  if (holder === undefined) return false
  Deferred.unsafeDone(holder, Effect.void)
  holder = undefined
  return true
}
