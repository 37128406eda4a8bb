import { Chunk, Deferred, Effect, Exit, Fiber, Option, Scope, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { type AnyEvent, makeBeginnings } from "../../../src/daemon/beginnings.ts"

const event: AnyEvent = { _tag: "Something" }

/** An operation that tells one event, then nothing for ever, and takes its time to end. */
const endless = () => {
  const state = { ended: false }
  const mayEnd = Deferred.unsafeMake<void>(Fiber.id(Fiber.void))
  const start = Effect.gen(function*() {
    yield* Effect.addFinalizer(() =>
      Effect.zipRight(
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
          return Effect.succeed(Chunk.of(event))
        }
        return waitMs === undefined
          ? Effect.never
          : Effect.as(Effect.sleep(waitMs), Chunk.empty<AnyEvent>())
      })
  })
  return { state, mayEnd, start }
}

const inScope = <A>(use: (beginnings: ReturnType<typeof makeBeginnings>) => Effect.Effect<A, unknown>) =>
  Effect.runPromise(Effect.gen(function*() {
    const scope = yield* Scope.make()
    const result = yield* use(makeBeginnings(scope))
    yield* Scope.close(scope, Exit.void)
    return result
  }))

/** Whether it is still waiting after a while. */
const waits = (fiber: Fiber.Fiber<unknown, unknown>) =>
  Effect.map(Effect.zipRight(Effect.sleep(20), Fiber.poll(fiber)), Option.isNone)

describe("an operation that nobody wants any more", () => {
  it("has ended when dropping it has, where its rest was not asked for", () =>
    inScope((beginnings) =>
      Effect.gen(function*() {
        const { mayEnd, start, state } = endless()
        assert.deepStrictEqual(yield* beginnings.begin("a", start), { events: [event], more: true })
        const dropping = yield* Effect.fork(beginnings.drop("a"))
        assert.isTrue(yield* waits(dropping))
        yield* Deferred.succeed(mayEnd, undefined)
        yield* Fiber.join(dropping)
        assert.isTrue(state.ended)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(Stream.runDrain(beginnings.rest("a")))))
      })
    ))

  it.each(["before", "after"])(
    "has ended when dropping it has, %s whoever listened to its rest left",
    (order) =>
      inScope((beginnings) =>
        Effect.gen(function*() {
          const { mayEnd, start, state } = endless()
          yield* beginnings.begin("a", start)
          const listening = yield* Effect.fork(Stream.runDrain(beginnings.rest("a")))
          yield* Effect.sleep(5)
          const leave = Effect.fork(Fiber.interrupt(listening))
          if (order === "after") yield* leave
          const dropping = yield* Effect.fork(beginnings.drop("a"))
          if (order === "before") yield* leave
          assert.isTrue(yield* waits(dropping))
          assert.isFalse(state.ended)
          yield* Deferred.succeed(mayEnd, undefined)
          yield* Fiber.join(dropping)
          assert.isTrue(state.ended)
        })
      )
  )

  it("has ended when dropping it has, where it had not begun yet", () =>
    inScope((beginnings) =>
      Effect.gen(function*() {
        const { mayEnd, start, state } = endless()
        const beginning = yield* Effect.fork(beginnings.begin("a", Effect.zipRight(start, Effect.never)))
        yield* Effect.sleep(5)
        yield* Effect.fork(Fiber.interrupt(beginning))
        const dropping = yield* Effect.fork(beginnings.drop("a"))
        assert.isTrue(yield* waits(dropping))
        yield* Deferred.succeed(mayEnd, undefined)
        yield* Fiber.join(dropping)
        assert.isTrue(state.ended)
      })
    ))

  it("is nothing to wait for where it is not known, or is over", () =>
    inScope((beginnings) =>
      Effect.gen(function*() {
        yield* beginnings.drop("unknown")
        let told = false
        const start = Effect.succeed(() =>
          Effect.suspend(() => {
            if (told) return Effect.fail(Option.none())
            told = true
            return Effect.succeed(Chunk.of(event))
          })
        )
        assert.deepStrictEqual(yield* beginnings.begin("a", start), { events: [event], more: false })
        yield* beginnings.drop("a")
      })
    ))
})

describe("an operation that is over at once", () => {
  const short = (released: Array<string>, name: string) =>
    Effect.as(
      Effect.addFinalizer(() => Effect.sync(() => void released.push(name))),
      () => Effect.fail(Option.none())
    )

  it("is told first and released in a moment, and others with it", () =>
    inScope((beginnings) =>
      Effect.gen(function*() {
        const released: Array<string> = []
        const over = { events: [], more: false }
        assert.deepStrictEqual(yield* beginnings.begin("a", short(released, "a")), over)
        assert.deepStrictEqual(yield* beginnings.begin("b", short(released, "b")), over)
        assert.deepStrictEqual(released, [])
        yield* Effect.sleep(50)
        assert.deepStrictEqual(released, ["a", "b"])
        yield* beginnings.begin("c", short(released, "c"))
        yield* Effect.sleep(50)
        assert.deepStrictEqual(released, ["a", "b", "c"])
      })
    ))

  it("is released once and at once where it is dropped before", () =>
    inScope((beginnings) =>
      Effect.gen(function*() {
        const released: Array<string> = []
        yield* beginnings.begin("a", short(released, "a"))
        yield* beginnings.drop("a")
        assert.deepStrictEqual(released, ["a"])
        yield* Effect.sleep(50)
        assert.deepStrictEqual(released, ["a"])
      })
    ))
})
