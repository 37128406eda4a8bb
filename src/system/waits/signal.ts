import { Deferred, Effect } from "effect"

/**
 * Calls back once after `ms`, unless it is cancelled. For callbacks that only wake a fiber on the path of every command: a timer costs a
 * microsecond, and a sleeping fiber some thirty. All other code sleeps with Effect, whose Clock tests control.
 */
export const startTimer = (ms: number, callback: () => void): { readonly cancel: () => void } => {
  const timer = setTimeout(callback, ms)
  return { cancel: () => clearTimeout(timer) }
}

/** Sleeps, and keeps no program alive: a program that waits for nothing else ends. */
export const sleepInBackground = (ms: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.void), ms).unref()
    return Effect.sync(() => clearTimeout(timer))
  })

/**
 * Runs a function after the present code, before the event loop continues. For code that resumes a fiber: a fiber continues within the call
 * that resumes it, while its caller may be in the middle of a change.
 */
export const afterwards = (run: () => void): void => {
  // Not `queueMicrotask`, which makes an async resource of Node each time.
  void Promise.resolve().then(run)
}

/** Completes a Deferred. Its fibers continue after the present code. */
export const settleAfterwards = <A, E>(deferred: Deferred.Deferred<A, E>, outcome: Effect.Effect<A, E>): void =>
  afterwards(() => Deferred.doneUnsafe(deferred, outcome))

/** `Effect.callback` whose fiber continues after the code that resumes it. */
export const waitFor = <A, E = never>(
  register: (resume: (effect: Effect.Effect<A, E>) => void) => Effect.Effect<void> | void
): Effect.Effect<A, E> =>
  Effect.callback((resume) => {
    let isRegistering = true
    const cleanup = register((effect) => isRegistering ? resume(effect) : afterwards(() => resume(effect)))
    isRegistering = false
    return cleanup
  })

/** A value that is set once, with listeners before and after. A fiber that waits for a value costs a connection far more. */
export class Signal<A> {
  #value: A | undefined
  #listeners: Array<(value: A) => void> = []

  /** The value, once it is set. */
  get value(): A | undefined {
    return this.#value
  }

  /** Later values are dropped. */
  send(value: A & {}): void {
    if (this.#value !== undefined) return
    this.#value = value
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener(value)
  }

  /** Calls the listener with the value, now or later. Gives a function that removes the listener. */
  listen(listener: (value: A) => void): () => void {
    if (this.#value === undefined) this.#listeners.push(listener)
    else listener(this.#value)
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }
}

/** A result that is set once, for waiting fibers. A `Deferred` costs ten times as much, and every command has two. */
export class Settled<A, E> extends Signal<Effect.Effect<A, E>> {
  readonly wait: Effect.Effect<A, E> = Effect.suspend(() => this.value ?? this.#later)

  get #later() {
    return waitFor<A, E>((resume) => Effect.sync(this.listen(resume)))
  }
}

/** Fibers that wait until they are woken. */
export class Waiters {
  #all: Array<() => void> = []

  /**
   * Ends at once if `isDue` is true, else at a call of `wake` or at the deadline. The step that starts the wait calls `isDue`: other fibers
   * may run between the caller's own check and this step, and their `wake` would be lost.
   */
  wait(isDue: () => boolean, waitMs?: number): Effect.Effect<void> {
    return waitFor((resume) => {
      if (isDue()) return resume(Effect.void)
      const forget = () => {
        timer?.cancel()
        this.#all = this.#all.filter((one) => one !== listener)
      }
      const listener = () => {
        forget()
        resume(Effect.void)
      }
      const timer = waitMs === undefined ? undefined : startTimer(waitMs, listener)
      this.#all.push(listener)
      return Effect.sync(forget)
    })
  }

  wake(): void {
    if (this.#all.length === 0) return
    for (const listener of this.#all.splice(0)) listener()
  }
}
