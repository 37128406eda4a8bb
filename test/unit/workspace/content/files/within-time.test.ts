import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { withinTime } from "../../../../../src/workspace/content/files/open.ts"

it.effect("a read fails if the guest gives nothing for a minute, and not if its reader is slow", () =>
  Effect.gen(function*() {
    const slow = yield* Effect.forkChild(Stream.runForEach(
      withinTime(Stream.make(1, 2, 3).pipe(Stream.rechunk(1)), "stalled"),
      () => Effect.sleep("10 minutes")
    ))
    yield* TestClock.adjust("1 hour")
    yield* Fiber.join(slow)

    const seen: Array<number> = []
    const some = Stream.concat(Stream.fromEffect(Effect.delay(Effect.succeed(1), "50 seconds")), Stream.never)
    const stalled = yield* Effect.forkChild(
      Effect.flip(Stream.runForEach(withinTime(some, "stalled"), (one) => Effect.sync(() => seen.push(one))))
    )
    yield* TestClock.adjust("109 seconds")
    assert.isUndefined(stalled.pollUnsafe())
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual([yield* Fiber.join(stalled), seen], ["stalled", [1]])
  }))
