import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { acquirePlain, allOrNothing, atClose } from "../../../../src/system/waits/effects.ts"

/** Notes what is acquired and released, in order. */
const makeNotes = () => {
  const notes: Array<string> = []
  const acquire = (name: string) =>
    acquirePlain(
      Effect.sync(() => {
        notes.push(`+${name}`)
        return name
      }),
      (acquired) => void notes.push(`-${acquired}`)
    )
  return { notes, acquire }
}

describe("what is acquired plainly", () => {
  it.effect("resources are released with the Scope, the last one first", () =>
    Effect.gen(function*() {
      const { acquire, notes } = makeNotes()
      assert.strictEqual(yield* Effect.scoped(Effect.andThen(acquire("a"), acquire("b"))), "b")
      assert.deepStrictEqual(notes, ["+a", "+b", "-b", "-a"])
    }))

  it.effect("a failed acquisition is not released", () =>
    Effect.gen(function*() {
      let released = false
      const exit = yield* Effect.exit(Effect.scoped(acquirePlain(Effect.fail("no"), () => void (released = true))))
      assert.deepStrictEqual(exit, Exit.fail("no"))
      assert.isFalse(released)
    }))

  it.effect("an interruption of the acquiring fiber releases the resource", () =>
    Effect.gen(function*() {
      const { acquire, notes } = makeNotes()
      const acquired = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        Effect.scoped(
          Effect.andThen(acquire("a"), Effect.andThen(Deferred.succeed(acquired, undefined), Effect.never))
        )
      )
      yield* Deferred.await(acquired)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(notes, ["+a", "-a"])
    }))

  it.effect("an acquisition that fails half-way releases its resources", () =>
    Effect.gen(function*() {
      const { acquire, notes } = makeNotes()
      const scope = yield* Scope.make()
      const half = Effect.andThen(acquire("a"), Effect.fail("half-way"))
      yield* Effect.flip(Scope.provide(allOrNothing(half), scope))
      assert.deepStrictEqual(notes, ["+a", "-a"])
    }))
})

describe("what is done at the close of a Scope", () => {
  it.effect("a finalizer runs to its end if the closing fiber is interrupted", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      let done = false
      const scope = yield* Scope.make()
      const work = Effect.andThen(Deferred.succeed(begun, undefined), Deferred.await(goOn))
      yield* Scope.provide(atClose(Effect.andThen(work, Effect.sync(() => (done = true)))), scope)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* Deferred.await(begun)
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(closing))
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(interrupting)
      assert.isTrue(done)
    }))
})
