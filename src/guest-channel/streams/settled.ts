import { Effect } from "effect"
import { waitFor } from "../../system/waits/afterwards.ts"

type Resume<A, E> = (effect: Effect.Effect<A, E>) => void

/**
 * What comes once, for whoever waits for it then or asks later. Set by the socket's callback, as a `Deferred` would be; every
 * command has two, and a `Deferred` costs ten times as much to make.
 */
export class Settled<A, E> {
  #effect: Effect.Effect<A, E> | undefined
  #waiting: Array<Resume<A, E>> = []

  /** Later values are dropped. */
  settle(effect: Effect.Effect<A, E>) {
    if (this.#effect !== undefined) return
    this.#effect = effect
    for (const resume of this.#waiting) resume(effect)
    this.#waiting = []
  }

  /** Calls the listener then, or now. */
  onSettled(listener: () => void) {
    if (this.#effect === undefined) this.#waiting.push(listener)
    else listener()
  }

  readonly wait: Effect.Effect<A, E> = Effect.suspend(() => this.#effect ?? this.#later)

  get #later() {
    return waitFor<A, E>((resume) => {
      this.#waiting.push(resume)
      return Effect.sync(() => {
        this.#waiting = this.#waiting.filter((other) => other !== resume)
      })
    })
  }
}
