import { Deferred, Effect, Fiber, Layer } from "effect"
import { assert, describe, it } from "vitest"

// The traps that docs/patterns.md names, as the installed Effect has them. A version without one of them may let the page and the code go.

const run = Effect.runPromise

describe("the traps of Effect in docs/patterns.md", () => {
  it("a forked fiber begins after the next step of its parent", async () => {
    const order: Array<string> = []
    await run(Effect.gen(function*() {
      const child = yield* Effect.forkChild(Effect.sync(() => void order.push("child")))
      order.push("parent")
      yield* Fiber.join(child)
    }))
    assert.deepStrictEqual(order, ["parent", "child"])
  })

  it("a forked fiber of an uninterruptible parent can be interrupted before it begins", async () => {
    const begun = (options?: { readonly uninterruptible: true }) =>
      run(Effect.scoped(
        Effect.gen(function*() {
          let hasBegun = false
          const child = yield* Effect.forkIn(
            Effect.sync(() => void (hasBegun = true)),
            yield* Effect.scope,
            options
          )
          yield* Fiber.interrupt(child)
          return hasBegun
        }).pipe(Effect.uninterruptible)
      ))
    assert.isFalse(await begun())
    assert.isTrue(await begun({ uninterruptible: true }))
  })

  it("a fiber runs inside the call that completes its Deferred", async () => {
    const order: Array<string> = []
    await run(Effect.gen(function*() {
      const deferred = Deferred.makeUnsafe<void>()
      const waiting = Effect.andThen(Deferred.await(deferred), Effect.sync(() => void order.push("fiber")))
      const fiber = yield* Effect.forkChild(waiting, { startImmediately: true })
      Deferred.doneUnsafe(deferred, Effect.void)
      order.push("caller")
      yield* Fiber.join(fiber)
    }))
    assert.deepStrictEqual(order, ["fiber", "caller"])
  })

  it("a timeout and a race interrupt their work in an uninterruptible region and in a finalizer", async () => {
    const ended: Array<string> = []
    const work = (name: string) => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void ended.push(name)))
    await run(Effect.uninterruptible(Effect.timeoutOption(work("timeout"), 1)))
    await run(Effect.uninterruptible(Effect.race(work("race"), Effect.void)))
    await run(Effect.scoped(Effect.addFinalizer(() => Effect.timeoutOption(work("finalizer"), 1))))
    assert.deepStrictEqual(ended, ["timeout", "race", "finalizer"])
  })

  it("Layer.mergeAll releases its parts at the same time", async () => {
    const part = (release: Effect.Effect<void>) =>
      Layer.effectDiscard(Effect.acquireRelease(Effect.void, () => release))
    // One of the two orders would never end if the parts were released one after the other.
    for (const isFirst of [true, false]) {
      const woken = Deferred.makeUnsafe<void>()
      const parts = [part(Deferred.await(woken)), part(Effect.asVoid(Deferred.succeed(woken, undefined)))] as const
      const [one, other] = isFirst ? parts : [parts[1], parts[0]]
      await run(Effect.scoped(Layer.build(Layer.mergeAll(one, other))))
    }
  })
})
