import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { ChannelFailed, type PyroError } from "../../../src/contract/errors/errors.ts"
import { callFromPull, forEachEvent, type StreamingCall } from "../../../src/contract/rows/event-batches.ts"

type End = Effect.Effect<ReadonlyArray<number>, Option.Option<PyroError>>

/** A call with these batches and this end, and what has become of it. */
const watched = (batches: ReadonlyArray<ReadonlyArray<number>>, end: End = Effect.fail(Option.none())) => {
  const seen = { opened: 0, closed: 0, pulled: 0 }
  const call = callFromPull<number, string, PyroError>(() =>
    Effect.gen(function*() {
      seen.opened++
      yield* Effect.addFinalizer(() => Effect.sync(() => seen.closed++))
      return () =>
        Effect.suspend(() => {
          const batch = batches[seen.pulled++]
          return batch === undefined ? end : Effect.succeed(batch)
        })
    })
  )
  return { call, seen }
}

const collected = (call: StreamingCall<number, string>) =>
  Effect.gen(function*() {
    const got: Array<number> = []
    yield* forEachEvent(call, "payload", undefined, (event) => Effect.sync(() => got.push(event)))
    return got
  })

describe("forEachEvent", () => {
  it.effect("forEachEvent passes the events of all batches in order, and releases the operation", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([[1, 2], [], [3]])
      assert.deepStrictEqual(yield* collected(call), [1, 2, 3])
      assert.deepStrictEqual(seen, { opened: 1, closed: 1, pulled: 4 })
    }))

  it.effect("the stream of a call has all its batches", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([[1, 2], [], [3]])
      assert.deepStrictEqual([...(yield* Stream.runCollect(call("payload")))], [1, 2, 3])
      assert.strictEqual(seen.closed, 1)
    }))

  it.effect("forEachEvent reads the stream of a call without pulls", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* collected(() => Stream.make(5, 6)), [5, 6])
    }))
})

describe("forEachEvent that ends early", () => {
  it.effect("forEachEvent fails with the failure of a later pull, and releases the operation", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([[1]], Effect.fail(Option.some(new ChannelFailed({ detail: "gone" }))))
      const exit = yield* Effect.exit(collected(call))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(seen.closed, 1)
    }))

  it.effect("forEachEvent pulls no more after its function has failed", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([[1, 2], [3]])
      const got: Array<number> = []
      const failure = yield* Effect.flip(forEachEvent(call, "payload", undefined, (event) => {
        got.push(event)
        return Effect.fail("enough" as const)
      }))
      assert.strictEqual(failure, "enough")
      assert.deepStrictEqual({ got, ...seen }, { got: [1], opened: 1, closed: 1, pulled: 1 })
    }))

  it.effect("forEachEvent releases the operation on interruption", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([[1]], Effect.never)
      const first = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        forEachEvent(call, "payload", undefined, () => Deferred.succeed(first, undefined))
      )
      yield* Deferred.await(first)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(seen.closed, 1)
    }))
})

describe("the Scope of a pull", () => {
  it.effect("the Scope of a pull keeps the operation open until it closes", () =>
    Effect.gen(function*() {
      const { call, seen } = watched([[1]])
      const scope = yield* Scope.make()
      yield* Scope.provide(call.pull!("payload"), scope)
      assert.strictEqual(seen.closed, 0)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(seen.closed, 1)
    }))
})
