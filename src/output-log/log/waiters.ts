import { Effect } from "effect"
import { waitFor } from "../../system/waits/afterwards.ts"
import { startTimer } from "../../system/waits/timer.ts"

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
    for (const listener of this.#all.splice(0)) listener()
  }
}
