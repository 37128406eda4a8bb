import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { once } from "../../../../src/system/waits/effects.ts"

describe("work that is done once", () => {
  it.effect("has one result for all who ask", () =>
    Effect.gen(function*() {
      let count = 0
      const asked = yield* once(Effect.sync(() => ++count))
      assert.deepStrictEqual(yield* Effect.all([asked, asked], { concurrency: 2 }), [1, 1])
      assert.strictEqual(yield* asked, 1)
    }))

  it.effect("keeps a failure", () =>
    Effect.gen(function*() {
      let count = 0
      const asked = yield* once(Effect.suspend(() => Effect.fail(++count)))
      assert.deepStrictEqual(yield* Effect.exit(asked), Exit.fail(1))
      assert.deepStrictEqual(yield* Effect.exit(asked), Exit.fail(1))
    }))

  it.effect("goes on when all who asked have left, and the next one has its result", () =>
    Effect.gen(function*() {
      const goOn = yield* Deferred.make<void>()
      let count = 0
      const asked = yield* once(Effect.andThen(Effect.sync(() => ++count), Deferred.await(goOn)))
      const first = yield* Effect.forkChild(asked, { startImmediately: true })
      const leaving = yield* Effect.forkChild(Fiber.interrupt(first), { startImmediately: true })
      const next = yield* Effect.forkChild(asked, { startImmediately: true })
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(next)
      yield* Fiber.join(leaving)
      assert.strictEqual(count, 1)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(first)))
    }))

  it.effect("lets another one that waits leave at once", () =>
    Effect.gen(function*() {
      const goOn = yield* Deferred.make<void>()
      const asked = yield* once(Deferred.await(goOn))
      const first = yield* Effect.forkChild(asked, { startImmediately: true })
      const second = yield* Effect.forkChild(asked, { startImmediately: true })
      yield* Fiber.interrupt(second)
      assert.isUndefined(first.pollUnsafe())
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(first)
    }))
})
