import { Deferred, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { AnyEvent } from "../../../src/daemon/observer.ts"
import { makeOpenOperations } from "../../../src/daemon/open-operations.ts"

const event: AnyEvent = { _tag: "Something" }

/** An operation that tells one event, then nothing for ever, and takes its time to end. */
const endless = () => {
  const state = { ended: false }
  const mayEnd = Deferred.makeUnsafe<void>()
  const start = Effect.gen(function*() {
    yield* Effect.addFinalizer(() =>
      Effect.andThen(
        Deferred.await(mayEnd),
        Effect.sync(() => {
          state.ended = true
        })
      )
    )
    let isTold = false
    return (waitMs?: number) =>
      Effect.suspend(() => {
        if (!isTold) {
          isTold = true
          return Effect.succeed([event])
        }
        return waitMs === undefined
          ? Effect.never
          : Effect.as(Effect.sleep(waitMs), [] as ReadonlyArray<AnyEvent>)
      })
  })
  return { state, mayEnd, start }
}

const inScope = <A>(use: (operations: ReturnType<typeof makeOpenOperations>) => Effect.Effect<A, unknown>) =>
  Effect.runPromise(Effect.gen(function*() {
    const scope = yield* Scope.make()
    const result = yield* use(makeOpenOperations(scope))
    yield* Scope.close(scope, Exit.void)
    return result
  }))

/** Takes events to the end, as the RPC server does. */
const drained = (rest: ReturnType<ReturnType<typeof makeOpenOperations>["rest"]>) => Stream.runDrain(rest)

/** Whether it is still waiting after a while. */
const waits = (fiber: Fiber.Fiber<unknown, unknown>) =>
  Effect.map(Effect.sleep(20), () => fiber.pollUnsafe() === undefined)

describe("drop", () => {
  it("drop waits for the end of an operation whose rest no caller requested", () =>
    inScope((operations) =>
      Effect.gen(function*() {
        const { mayEnd, start, state } = endless()
        assert.deepStrictEqual(yield* operations.first("a", start), { events: [event], more: true })
        const dropping = yield* Effect.forkChild(operations.drop("a"))
        assert.isTrue(yield* waits(dropping))
        yield* Deferred.succeed(mayEnd, undefined)
        yield* Fiber.join(dropping)
        assert.isTrue(state.ended)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(drained(operations.rest("a")))))
      })
    ))

  it.each(["before", "after"])(
    "drop waits for the end of an operation, %s the reader of its rest has left",
    (order) =>
      inScope((operations) =>
        Effect.gen(function*() {
          const { mayEnd, start, state } = endless()
          yield* operations.first("a", start)
          const listening = yield* Effect.forkChild(drained(operations.rest("a")))
          yield* Effect.sleep(5)
          const leave = Effect.forkChild(Fiber.interrupt(listening))
          if (order === "after") yield* leave
          const dropping = yield* Effect.forkChild(operations.drop("a"))
          if (order === "before") yield* leave
          assert.isTrue(yield* waits(dropping))
          assert.isFalse(state.ended)
          yield* Deferred.succeed(mayEnd, undefined)
          yield* Fiber.join(dropping)
          assert.isTrue(state.ended)
        })
      )
  )

  it("drop waits for the end of an operation that is still starting", () =>
    inScope((operations) =>
      Effect.gen(function*() {
        const { mayEnd, start, state } = endless()
        const starting = yield* Effect.forkChild(operations.first("a", Effect.andThen(start, Effect.never)))
        yield* Effect.sleep(5)
        yield* Effect.forkChild(Fiber.interrupt(starting))
        const dropping = yield* Effect.forkChild(operations.drop("a"))
        assert.isTrue(yield* waits(dropping))
        yield* Deferred.succeed(mayEnd, undefined)
        yield* Fiber.join(dropping)
        assert.isTrue(state.ended)
      })
    ))

  it("drop returns at once for an operation that is unknown or has ended", () =>
    inScope((operations) =>
      Effect.gen(function*() {
        yield* operations.drop("unknown")
        let told = false
        const start = Effect.succeed(() =>
          Effect.suspend(() => {
            if (told) return Effect.fail(Option.none())
            told = true
            return Effect.succeed([event])
          })
        )
        assert.deepStrictEqual(yield* operations.first("a", start), { events: [event], more: false })
        yield* operations.drop("a")
      })
    ))
})

describe("an operation that ends at once", () => {
  const short = (released: Array<string>, name: string) =>
    Effect.as(
      Effect.addFinalizer(() => Effect.sync(() => void released.push(name))),
      () => Effect.fail(Option.none())
    )

  it("an operation that ends at once answers before its release, which one timer does for several operations", () =>
    inScope((operations) =>
      Effect.gen(function*() {
        const released: Array<string> = []
        const over = { events: [], more: false }
        assert.deepStrictEqual(yield* operations.first("a", short(released, "a")), over)
        assert.deepStrictEqual(yield* operations.first("b", short(released, "b")), over)
        assert.deepStrictEqual(released, [])
        yield* Effect.sleep(50)
        assert.deepStrictEqual(released, ["a", "b"])
        yield* operations.first("c", short(released, "c"))
        yield* Effect.sleep(50)
        assert.deepStrictEqual(released, ["a", "b", "c"])
      })
    ))

  it("an operation is released once and at once if its client drops it", () =>
    inScope((operations) =>
      Effect.gen(function*() {
        const released: Array<string> = []
        yield* operations.first("a", short(released, "a"))
        yield* operations.drop("a")
        assert.deepStrictEqual(released, ["a"])
        yield* Effect.sleep(50)
        assert.deepStrictEqual(released, ["a"])
      })
    ))
})
