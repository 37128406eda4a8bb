import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option, Semaphore } from "effect"
import { TestClock } from "effect/testing"
import { onceFree } from "../../../../src/system/waits/once-free.ts"

const LIMIT_MS = 1_000

describe("work with locks that others may have for a moment", () => {
  const locks = Effect.all([Semaphore.make(1), Semaphore.make(1)])

  it.effect("waits for a lock, does its work with all of them, and gives them back", () =>
    Effect.gen(function*() {
      const [first, second] = yield* locks
      yield* second.take(1)
      const free = yield* Effect.all([first, second].map((one) => one.withPermitsIfAvailable(1)(Effect.void))).pipe(
        onceFree([first, second], LIMIT_MS),
        Effect.forkChild
      )
      yield* TestClock.adjust(LIMIT_MS / 2)
      yield* second.release(1)
      assert.deepStrictEqual(yield* Fiber.join(free), Option.some([Option.none(), Option.none()]))
      assert.isTrue(
        Option.isSome(yield* first.withPermitsIfAvailable(1)(second.withPermitsIfAvailable(1)(Effect.void)))
      )
    }))

  it.effect("does nothing and holds no lock if the time is over first", () =>
    Effect.gen(function*() {
      const [first, second] = yield* locks
      yield* second.take(1)
      let count = 0
      const waiting = yield* Effect.sync(() => ++count).pipe(onceFree([first, second], LIMIT_MS), Effect.forkChild)
      yield* TestClock.adjust(LIMIT_MS)
      assert.deepStrictEqual(yield* Fiber.join(waiting), Option.none())
      yield* second.release(1)
      yield* first.withPermits(1)(second.withPermits(1)(Effect.void))
      assert.strictEqual(count, 0)
    }))

  it.effect("lets work that has begun take longer than the time", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<string>()
      const working = yield* Deferred.await(gate).pipe(onceFree(yield* locks, LIMIT_MS), Effect.forkChild)
      yield* TestClock.adjust(LIMIT_MS * 10)
      yield* Deferred.succeed(gate, "done")
      assert.deepStrictEqual(yield* Fiber.join(working), Option.some("done"))
    }))
})
