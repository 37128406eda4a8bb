import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { makeInputs } from "../../../src/daemon/server/inputs.ts"

const id = "0".repeat(32)

/** A writer that takes bytes at once while it is open. */
const makeWriter = () => {
  const state = { isOpen: true, atOnce: [] as Array<number>, waited: [] as Array<number> }
  return {
    state,
    tryWrite: (bytes: Uint8Array) => {
      if (state.isOpen) state.atOnce.push(...bytes)
      return state.isOpen
    }
  }
}

describe("stdin of a client", () => {
  it.effect("a writer gets earlier bytes first, and later bytes in the turn of their request", () =>
    Effect.gen(function*() {
      const inputs = makeInputs()
      const input = yield* inputs.take(id)
      yield* inputs.write(id, 0, Uint8Array.of(1))
      const { state, tryWrite } = makeWriter()
      const mayWrite = yield* Deferred.make<void>()
      const write = (bytes: Uint8Array) =>
        Effect.andThen(Deferred.await(mayWrite), Effect.sync(() => void state.waited.push(...bytes)))
      const writing = yield* Effect.forkChild(input.writeStdin!({ tryWrite, write }))
      yield* Effect.yieldNow
      // The first byte waits for the guest: the second one must not overtake it.
      yield* inputs.write(id, 1, Uint8Array.of(2))
      assert.deepStrictEqual(state.atOnce, [])
      yield* Deferred.succeed(mayWrite, undefined)
      while (state.waited.length < 2) yield* Effect.yieldNow
      yield* Effect.yieldNow
      yield* inputs.write(id, 2, Uint8Array.of(3))
      assert.deepStrictEqual(state, { isOpen: true, waited: [1, 2], atOnce: [3] })
      state.isOpen = false
      yield* inputs.write(id, 3, Uint8Array.of(4))
      yield* inputs.end(id)
      yield* Fiber.join(writing)
      assert.deepStrictEqual(state, { isOpen: false, waited: [1, 2, 4], atOnce: [3] })
    }))

  it.effect("pieces that come in another order are written in their order", () =>
    Effect.gen(function*() {
      const inputs = makeInputs()
      const { stdin } = yield* inputs.take(id)
      const early = yield* Effect.forEach(
        [3, 2, 1, 4],
        (at) => Effect.forkChild(inputs.write(id, at, Uint8Array.of(at)))
      )
      yield* Effect.yieldNow
      yield* inputs.write(id, 0, Uint8Array.of(0))
      const got = yield* Stream.runCollect(Stream.take(stdin!, 5))
      assert.deepStrictEqual(got.flatMap((bytes) => [...bytes]), [0, 1, 2, 3, 4])
      yield* Effect.forEach(early, Fiber.join)
    }))

  it.effect("a piece that waits for an earlier one ends with the operation", () =>
    Effect.gen(function*() {
      const inputs = makeInputs()
      const scope = yield* Scope.make()
      yield* Scope.provide(inputs.take(id), scope)
      const early = yield* Effect.forkChild(inputs.write(id, 1, Uint8Array.of(1)))
      yield* Effect.yieldNow
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(early)
    }))

  it.effect("bytes that come again after a lost line are written once: repeated, overlapping and while others wait", () =>
    Effect.gen(function*() {
      const inputs = makeInputs()
      const { stdin } = yield* inputs.take(id)
      const got: Array<number> = []
      const mayRead = yield* Deferred.make<void>()
      const reads = Stream.runForEach(
        stdin!,
        (bytes) => Effect.andThen(Deferred.await(mayRead), Effect.sync(() => void got.push(...bytes)))
      )
      const reading = yield* Effect.forkChild(reads)
      yield* inputs.write(id, 0, Uint8Array.of(0, 1, 2))
      yield* inputs.write(id, 0, Uint8Array.of(0, 1, 2))
      yield* inputs.write(id, 1, Uint8Array.of(1, 2, 3, 4))
      yield* inputs.write(id, 0, Uint8Array.of(0))
      yield* inputs.write(id, -3, Uint8Array.of(9, 9, 9, 0, 1, 2, 3, 4, 5))
      // The queue is full: this piece waits, and comes again over the next line before and after the first line ends.
      const first = yield* Effect.forkChild(inputs.write(id, 6, Uint8Array.of(6, 7)))
      yield* Effect.yieldNow
      const second = yield* Effect.forkChild(inputs.write(id, 6, Uint8Array.of(6, 7)))
      yield* Effect.yieldNow
      yield* Fiber.interrupt(first)
      const third = yield* Effect.forkChild(inputs.write(id, 5, Uint8Array.of(5, 6, 7, 8)))
      yield* Effect.yieldNow
      yield* Deferred.succeed(mayRead, undefined)
      yield* Fiber.join(second)
      yield* Fiber.join(third)
      yield* inputs.write(id, 8, Uint8Array.of(8, 9))
      yield* inputs.end(id)
      yield* inputs.end(id)
      yield* Fiber.join(reading)
      assert.deepStrictEqual(got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }))

  it.effect("every cut of an input in pieces, each sent up to three times in any order, gives the input", () =>
    Effect.gen(function*() {
      const whole = Array.from({ length: 60 }, (_, at) => at)
      // A linear congruential generator: the same cases each time.
      let seed = 7
      const below = (limit: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % limit
      for (let round = 0; round < 200; round++) {
        const inputs = makeInputs()
        const { stdin } = yield* inputs.take(id)
        const pieces: Array<readonly [number, number]> = []
        for (let at = 0; at < whole.length;) {
          const end = Math.min(whole.length, at + 1 + below(9))
          for (let times = 1 + below(3); times > 0; times--) pieces.push([Math.max(0, at - below(4)), end])
          at = end
        }
        pieces.sort(() => below(3) - 1)
        const writes = yield* Effect.forEach(
          pieces,
          ([from, to]) => Effect.forkChild(inputs.write(id, from, Uint8Array.from(whole.slice(from, to))))
        )
        const got = yield* Effect.forkChild(Stream.runCollect(stdin!))
        yield* Effect.forEach(writes, Fiber.join)
        yield* inputs.end(id)
        assert.deepStrictEqual((yield* Fiber.join(got)).flatMap((bytes) => [...bytes]), whole, `round ${round}`)
      }
    }))

  it.effect("bytes far behind a gap are refused, and so are more pieces than a client has at a time", () =>
    Effect.gen(function*() {
      const inputs = makeInputs()
      const { stdin } = yield* inputs.take(id)
      for (const at of [2 ** 20 + 1, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
        assert.strictEqual((yield* Effect.flip(inputs.write(id, at, Uint8Array.of(1))))._tag, "InvalidRequest")
      }
      const early = yield* Effect.forEach(
        Array.from({ length: 64 }),
        () => Effect.forkChild(inputs.write(id, 1, Uint8Array.of(1)))
      )
      yield* Effect.yieldNow
      assert.strictEqual((yield* Effect.flip(inputs.write(id, 1, Uint8Array.of(1))))._tag, "InvalidRequest")
      yield* inputs.write(id, 0, Uint8Array.of(0))
      yield* Effect.forEach(early, Fiber.join)
      yield* inputs.end(id)
      assert.deepStrictEqual((yield* Stream.runCollect(stdin!)).flatMap((bytes) => [...bytes]), [0, 1])
    }))
})
