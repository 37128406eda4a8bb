import { Deferred, Effect } from "effect"

/**
 * Runs it once the code at hand is done, before the event loop continues. For what resumes a fiber: a fiber goes on within the call that
 * resumes it, in the midst of whatever its caller changes.
 */
export const afterwards = (run: () => void): void => {
  // Not `queueMicrotask`, which makes a resource of Node's each time.
  void Promise.resolve().then(run)
}

/** Settles what fibers wait for; they go on once the code at hand is done. */
export const settleAfterwards = <A, E>(deferred: Deferred.Deferred<A, E>, outcome: Effect.Effect<A, E>): void =>
  afterwards(() => Deferred.doneUnsafe(deferred, outcome))

/** `Effect.callback` whose fiber goes on once the code that resumes it is done. */
export const waitFor = <A, E = never>(
  register: (resume: (effect: Effect.Effect<A, E>) => void) => Effect.Effect<void> | void
): Effect.Effect<A, E> =>
  Effect.callback((resume) => {
    let isRegistering = true
    const cleanup = register((effect) => isRegistering ? resume(effect) : afterwards(() => resume(effect)))
    isRegistering = false
    return cleanup
  })
