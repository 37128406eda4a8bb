import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option, Scope } from "effect"
import { TestClock } from "effect/testing"
import { onceFree } from "../../../../src/system/waits/once-free.ts"
import { makeWorkLock, type WorkLock } from "../../../../src/system/waits/work-lock.ts"

const LIMIT_MS = 1_000

describe("work with locks that others may have for a moment", () => {
  const locks = Effect.all([makeWorkLock, makeWorkLock])

  /** Takes a lock, and gives what releases it. */
  const taken = ({ acquire }: WorkLock) =>
    Effect.flatMap(Scope.make(), (scope) => Effect.as(Scope.provide(acquire, scope), Scope.close(scope, Exit.void)))

  it.effect("waits for a lock, does its work with all of them, and gives them back", () =>
    Effect.gen(function*() {
      const [first, second] = yield* locks
      const release = yield* taken(second)
      const free = yield* Effect.all([first, second].map((one) => one.holdIfFree(Effect.void))).pipe(
        onceFree([first, second], LIMIT_MS),
        Effect.forkChild
      )
      yield* TestClock.adjust(LIMIT_MS / 2)
      yield* release
      assert.deepStrictEqual(yield* Fiber.join(free), Option.some([Option.none(), Option.none()]))
      assert.isTrue(
        Option.isSome(yield* first.holdIfFree(second.holdIfFree(Effect.void)))
      )
    }))

  it.effect("does nothing and holds no lock if the time is over first", () =>
    Effect.gen(function*() {
      const [first, second] = yield* locks
      const release = yield* taken(second)
      let count = 0
      const waiting = yield* Effect.sync(() => ++count).pipe(onceFree([first, second], LIMIT_MS), Effect.forkChild)
      yield* TestClock.adjust(LIMIT_MS)
      assert.deepStrictEqual(yield* Fiber.join(waiting), Option.none())
      yield* release
      yield* first.hold(second.hold(Effect.void))
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
