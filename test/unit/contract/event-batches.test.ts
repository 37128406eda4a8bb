import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { ChannelFailed } from "../../../src/contract/errors/errors.ts"
import { callFromFirst, type FirstEvents, forEachEvent } from "../../../src/contract/rows/event-batches.ts"

/** A call that begins with `events`, and what has become of it. */
const watched = (events: ReadonlyArray<number>, rest?: Stream.Stream<number, ChannelFailed>) => {
  const seen = { opened: 0, closed: 0, streamed: 0 }
  const call = callFromFirst<number, string>(() =>
    Effect.gen(function*() {
      seen.opened++
      yield* Effect.addFinalizer(() => Effect.sync(() => seen.closed++))
      const followed = rest && Stream.onStart(rest, Effect.sync(() => seen.streamed++))
      return { events, rest: followed } satisfies FirstEvents<number>
    })
  )
  return { call, seen }
}

const collected = (call: Parameters<typeof forEachEvent<number, string, never>>[0]) =>
  Effect.gen(function*() {
    const got: Array<number> = []
    yield* forEachEvent(call, "payload", undefined, (event) => Effect.sync(() => got.push(event)))
    return got
  })

describe("forEachEvent", () => {
  it.effect("forEachEvent opens no stream if the first batch completes the operation, and releases the operation", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([1, 2, 3])
      assert.deepStrictEqual(yield* collected(call), [1, 2, 3])
      assert.deepStrictEqual(seen, { opened: 1, closed: 1, streamed: 0 })
    }))

  it.effect("forEachEvent passes the first batch before the rest", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([1, 2], Stream.make(3, 4))
      assert.deepStrictEqual(yield* collected(call), [1, 2, 3, 4])
      assert.deepStrictEqual(seen, { opened: 1, closed: 1, streamed: 1 })
    }))

  it.effect("the stream of a call has the first batch and the rest", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([1, 2], Stream.make(3))
      assert.deepStrictEqual([...(yield* Stream.runCollect(call("payload")))], [1, 2, 3])
      assert.strictEqual(seen.closed, 1)
    }))

  it.effect("forEachEvent reads the stream of a call without a first batch", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* collected(() => Stream.make(5, 6)), [5, 6])
    }))
})

describe("forEachEvent that ends early", () => {
  it.effect("forEachEvent fails with the failure of the rest, and releases the operation", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([1], Stream.fail(new ChannelFailed({ detail: "gone" })))
      const exit = yield* Effect.exit(collected(call))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(seen.closed, 1)
    }))

  it.effect("forEachEvent does not request the rest after its function has failed", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([1, 2], Stream.make(3))
      const got: Array<number> = []
      const failure = yield* Effect.flip(forEachEvent(call, "payload", undefined, (event) => {
        got.push(event)
        return Effect.fail("enough" as const)
      }))
      assert.strictEqual(failure, "enough")
      assert.deepStrictEqual({ got, ...seen }, { got: [1], opened: 1, closed: 1, streamed: 0 })
    }))

  it.effect("forEachEvent releases the operation on interruption", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([1], Stream.never)
      const first = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        forEachEvent(call, "payload", undefined, () => Deferred.succeed(first, undefined))
      )
      yield* Deferred.await(first)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(seen.closed, 1)
    }))
})

describe("the Scope of a first batch", () => {
  it.effect("the Scope of a first batch keeps the operation open until it closes", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([1])
      const scope = yield* Scope.make()
      yield* Scope.provide(call.first!("payload"), scope)
      assert.strictEqual(seen.closed, 0)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(seen.closed, 1)
    }))
})
