import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { inOwnFiber } from "../../../../src/system/waits/scopes.ts"

describe("a loop whose steps close Scopes", () => {
  it.live("a loop that is interrupted in a finalizer ends after the finalizer", () =>
    Effect.gen(function*() {
      const closing = yield* Deferred.make<void>()
      let closed = 0
      const slow = Effect.andThen(
        Deferred.succeed(closing, undefined),
        Effect.delay(Effect.sync(() => void closed++), "50 millis")
      )
      const step = Effect.gen(function*() {
        const scope = yield* Scope.make()
        // Acquired in a fiber that has run finalizers before, and released in another: as everything that requests bring about.
        const acquire = Effect.andThen(
          Effect.scoped(Effect.addFinalizer(() => Effect.void)),
          Scope.provide(Effect.addFinalizer(() => slow), scope)
        )
        yield* Fiber.await(yield* Effect.forkDetach(acquire))
        yield* Effect.uninterruptible(Scope.close(scope, Exit.void))
      })
      const loop = yield* inOwnFiber(step).pipe(Effect.delay("1 millis"), Effect.forever, Effect.forkChild)
      yield* Deferred.await(closing)
      yield* Effect.timeout(Fiber.interrupt(loop), "5 seconds")
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(loop)))
      assert.strictEqual(closed, 1)
    }))

  it.live("a loop passes on a step's failure, and interrupts the step at once", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Effect.flip(inOwnFiber(Effect.fail("no"))), "no")
      const begun = yield* Deferred.make<void>()
      const step = Effect.andThen(Deferred.succeed(begun, undefined), Effect.never)
      const fiber = yield* Effect.forkChild(inOwnFiber(step))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
    }))
})
