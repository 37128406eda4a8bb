import { Deferred, Effect, type Scope } from "effect"

/** Receiver of the process's next signal. */
let holder: Deferred.Deferred<void> | undefined

/** Intercepts the first signal until the Scope closes. The inner effect ends with the signal. */
export const interceptSignal: Effect.Effect<Effect.Effect<void>, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => holder = Deferred.makeUnsafe<void>()),
    () => Effect.sync(() => holder = undefined)
  ),
  Deferred.await
)

export const isSignalIntercepted = (): boolean => holder !== undefined

/** Delivers a signal to its receiver, once. False if there is none. */
export const deliverSignal = (): boolean => {
  const receiver = holder
  if (receiver === undefined) return false
  holder = undefined
  Deferred.doneUnsafe(receiver, Effect.void)
  return true
}
