import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { afterEach, vi } from "vitest"
import { clockReader, monotonicMs, nowIso, nowMs, wallClockNs } from "../../../../src/system/waits/time.ts"

describe("the clock", () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.effect("the test clock drives timestamps, durations and callbacks", () =>
    Effect.gen(function*() {
      const reader = yield* clockReader
      const startMs = yield* monotonicMs
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual(yield* nowMs, 90_000)
      assert.strictEqual(yield* nowIso, "1970-01-01T00:01:30.000Z")
      assert.strictEqual((yield* monotonicMs) - startMs, 90_000)
      assert.deepStrictEqual([reader.nowMs(), reader.monotonicMs()], [90_000, 90_000])
    }))

  it.live("the monotonic clock does not follow a step of the wall clock", () =>
    Effect.gen(function*() {
      const before = yield* monotonicMs
      const now = Date.now()
      vi.spyOn(Date, "now").mockImplementation(() => now - 3_600_000)
      const passedMs = (yield* monotonicMs) - before
      assert.isAtLeast(passedMs, 0)
      assert.isBelow(passedMs, 60_000)
    }))

  it.each([3_600_000, -3_600_000])("the clock for guests follows a step of the host's wall clock by %d ms", (step) => {
    const hostMs = Date.now.bind(Date)
    assert.closeTo(Number(wallClockNs() / 1_000_000n), hostMs(), 50)
    vi.spyOn(Date, "now").mockImplementation(() => hostMs() + step)
    assert.closeTo(Number(wallClockNs() / 1_000_000n), hostMs() + step, 50)
  })
})
