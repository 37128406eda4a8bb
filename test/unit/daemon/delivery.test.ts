import { assert, it } from "@effect/vitest"
import { Effect, Option, Pull, Scope } from "effect"
import { batchesOf } from "../../../src/daemon/server/delivery.ts"

it.effect("an operation whose calls look at their state ends", () =>
  Effect.gen(function*() {
    let isOver = false
    const acquired = { scope: yield* Scope.make(), hasEnded: false }
    const batches = batchesOf((waitMs) => {
      // Nothing comes while the first batch is gathered.
      if (waitMs !== undefined) return Effect.succeed([])
      if (isOver) return Effect.fail(Option.none())
      return Effect.sync(() => {
        isOver = true
        return [{ _tag: "Ended" } as never]
      })
    }, acquired)
    assert.lengthOf(yield* batches, 1)
    assert.isTrue(Pull.isDoneCause((yield* Effect.flip(Effect.sandbox(batches))) as never))
  }))

it.effect("events that come at once are sent in messages that fit, each once and in order", () =>
  Effect.gen(function*() {
    const acquired = { scope: yield* Scope.make(), hasEnded: false }
    const text = (number: number) => ({ _tag: "Notice", number, message: "\uffff".repeat(1_300_000) }) as never
    const small = (number: number) => ({ _tag: "Notice", number, message: "small" }) as never
    const pulls = [[small(0)], [text(1), text(2), text(3), text(4), text(5)], [text(6), small(7)], [small(8)]]
    const batches = batchesOf(() => {
      const events = pulls.shift()
      return events === undefined ? Effect.fail(Option.none()) : Effect.succeed(events)
    }, acquired)
    const numbers: Array<number> = []
    while (numbers.length < 9) {
      const batch = yield* batches
      assert.isBelow(Buffer.byteLength(JSON.stringify(batch)), 15_728_640)
      for (const one of batch) numbers.push((one as unknown as { readonly number: number }).number)
    }
    assert.deepStrictEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8])
    assert.isTrue(Pull.isDoneCause((yield* Effect.flip(Effect.sandbox(batches))) as never))
  }))
