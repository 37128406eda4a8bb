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
