import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { doChores } from "../../../../src/workspace/operations/chores.ts"

describe("chores of a daemon", () => {
  it.effect("each chore is done at once, and again after its time", () =>
    Effect.gen(function*() {
      const done = { often: 0, rarely: 0 }
      yield* doChores([
        { everySeconds: 1, work: Effect.sync(() => ++done.often) },
        { everySeconds: 5, work: Effect.sync(() => ++done.rarely) }
      ])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(done, { often: 1, rarely: 1 })
      yield* TestClock.adjust("9 seconds")
      assert.deepStrictEqual(done, { often: 10, rarely: 2 })
    }))

  it.effect("a chore that takes long is not begun twice, and delays no other", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const begun = { long: 0, short: 0 }
      yield* doChores([
        { everySeconds: 1, work: Effect.andThen(Effect.sync(() => ++begun.long), Deferred.await(gate)) },
        { everySeconds: 1, work: Effect.sync(() => ++begun.short) }
      ])
      yield* TestClock.adjust("3500 millis")
      assert.deepStrictEqual(begun, { long: 1, short: 4 })
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(begun, { long: 2, short: 5 })
    }))

  it.effect("a defect of a chore keeps neither itself nor others from the next time", () =>
    Effect.gen(function*() {
      const begun = { broken: 0, other: 0 }
      yield* doChores([
        { everySeconds: 1, work: Effect.sync(() => ++begun.broken).pipe(Effect.andThen(Effect.die("broken"))) },
        { everySeconds: 1, work: Effect.sync(() => ++begun.other) }
      ])
      yield* TestClock.adjust("2500 millis")
      assert.deepStrictEqual(begun, { broken: 3, other: 3 })
    }))

  it.effect("the end of the scope waits for work that cannot be interrupted", () =>
    Effect.gen(function*() {
      const [working, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      let isDone = false
      const work = Deferred.succeed(working, undefined).pipe(
        Effect.andThen(Deferred.await(gate)),
        Effect.andThen(Effect.sync(() => void (isDone = true))),
        Effect.uninterruptible
      )
      const scope = yield* Scope.make()
      yield* Scope.provide(doChores([{ everySeconds: 1, work }]), scope)
      yield* Deferred.await(working)
      yield* Effect.forkChild(Effect.andThen(Effect.yieldNow, Deferred.succeed(gate, undefined)))
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(isDone)
    }))
})
