import { Effect, Fiber, Option } from "effect"
import type { WorkLock } from "./work-lock.ts"

/**
 * Does work with each lock, taken in this order. Gives none, and does nothing, if the locks are not free within a time, in ms. Work
 * that has begun is never ended by the time.
 */
export const onceFree =
  (locks: ReadonlyArray<WorkLock>, limitMs: number) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
    Effect.gen(function*() {
      let hasBegun = false
      const begin = Effect.suspend(() => {
        hasBegun = true
        return work
      })
      const waiting = yield* Effect.forkChild(locks.reduceRight((inner, lock) => lock.hold(inner), begin))
      yield* Effect.timeoutOption(Fiber.await(waiting), limitMs)
      if (hasBegun) return Option.some(yield* Fiber.join(waiting))
      yield* Fiber.interrupt(waiting)
      return Option.none()
    })
