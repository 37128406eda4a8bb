import { Effect } from "effect"
import { waitFor } from "./afterwards.ts"
import { startTimer } from "./timer.ts"

/** A value that comes once, for listeners of then or later. A fiber that waits for a value costs a connection far more. */
export class Signal<A> {
  #value: A | undefined
  #listeners: Array<(value: A) => void> = []

  /** The value, once it has come. */
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

  /** Calls the listener with the value: now, or when it comes. Gives what removes the listener. */
  listen(listener: (value: A) => void): () => void {
    if (this.#value === undefined) this.#listeners.push(listener)
    else listener(this.#value)
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }
}

/** A result that comes once, for fibers that wait for it. A `Deferred` costs ten times as much to make, and every command has two. */
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
   * Ends at once if `isDue` is true, else at a call of `wake` or at the deadline. `isDue` is asked in the step that begins the wait: other
   * fibers may run between a caller's own look and this step, and their `wake` would be lost.
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
