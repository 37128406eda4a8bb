import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { makeStartQueue } from "../../../../../src/lib/vm/driver/admission.ts"
import { lapse } from "../../../../support/until.ts"

/** Work that ends when it is told to; `begun` has the names in the order in which they began. */
const works = Effect.gen(function*() {
  const queued = yield* makeStartQueue(2)
  const begun: Array<string> = []
  const start = (name: string) =>
    Effect.gen(function*() {
      const end = yield* Deferred.make<void, string>()
      const fiber = yield* Effect.forkChild(
        queued(Effect.andThen(Effect.sync(() => void begun.push(name)), Deferred.await(end)))
      )
      yield* Effect.yieldNow
      return { end, fiber }
    })
  return { begun, start }
})

/** What can go on by itself has gone on afterwards. */
const settled = lapse(5)

describe("the start queue", () => {
  it.live("the start queue runs as many guests as allowed, and the others in the order of their arrival", () =>
    Effect.gen(function*() {
      const { begun, start } = yield* works
      const [a, b, c] = [yield* start("a"), yield* start("b"), yield* start("c")]
      yield* start("d")
      yield* settled
      assert.deepStrictEqual(begun, ["a", "b"])
      yield* Deferred.succeed(b.end, undefined)
      yield* settled
      assert.deepStrictEqual(begun, ["a", "b", "c"])
      yield* Deferred.succeed(a.end, undefined)
      yield* settled
      assert.deepStrictEqual(begun, ["a", "b", "c", "d"])
      yield* Deferred.succeed(c.end, undefined)
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(c.fiber)))
    }))

  it.live("a guest that fails or is interrupted gives its place in the start queue to the next one", () =>
    Effect.gen(function*() {
      const { begun, start } = yield* works
      const [a, b, c] = [yield* start("a"), yield* start("b"), yield* start("c")]
      yield* start("d")
      yield* start("e")
      yield* Fiber.interrupt(c.fiber)
      yield* Deferred.fail(a.end, "broken")
      assert.deepStrictEqual(yield* Fiber.await(a.fiber), Exit.fail("broken"))
      yield* Fiber.interrupt(b.fiber)
      yield* settled
      assert.deepStrictEqual(begun, ["a", "b", "d", "e"])
    }))
})
