import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { inTime } from "../../../../src/daemon/app/doctor/proof.ts"

describe("a deadline of the self-test", () => {
  it.effect("the self-test ends a check that hangs and names the check", () =>
    Effect.gen(function*() {
      let released = false
      const proof = Effect.ensuring(Effect.never, Effect.sync(() => (released = true)))
      const waiting = yield* Effect.forkChild(Effect.flip(inTime("snapshot and fork", proof)))
      yield* TestClock.adjust("1 hour")
      const failure = yield* Fiber.join(waiting)
      assert.match(failure.message, /snapshot and fork: not through within \d+ s/)
      assert.isTrue(released)
    }))

  it.effect("the self-test's deadline does not affect a check that ends", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* inTime("files", Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(inTime("files", Effect.fail("broken" as const))), "broken")
    }))
})
