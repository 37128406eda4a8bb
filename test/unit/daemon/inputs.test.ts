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
})
