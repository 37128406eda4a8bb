import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { whileSlow } from "../../../../src/system/waits/slow.ts"

describe("a sign of life of slow work", () => {
  it.effect("comes every second from the second one on, and ends with the work", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const done = yield* Deferred.make<string>()
      const work = yield* Effect.forkChild(
        Effect.uninterruptible(whileSlow((seconds) => told.push(seconds))(Deferred.await(done)))
      )
      yield* TestClock.adjust(1_900)
      assert.deepStrictEqual(told, [])
      yield* TestClock.adjust(2_200)
      assert.deepStrictEqual(told, [2, 3, 4])
      yield* Deferred.succeed(done, "made")
      assert.strictEqual(yield* Fiber.join(work), "made")
      yield* TestClock.adjust(5_000)
      assert.deepStrictEqual(told, [2, 3, 4])
    }))

  it.effect("keeps the failure of the work", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Effect.flip(whileSlow(() => {})(Effect.fail("broken"))), "broken")
    }))
})
