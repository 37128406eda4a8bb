import { assert, describe, it } from "@effect/vitest"
import { Effect, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { guardSpace, untilNextLook } from "../../../../../src/vm/driver/firecracker/full-disk.ts"
import type { VmTrouble } from "../../../../../src/vm/Vm.ts"

const gib = 1024 ** 3

/** A guarded VM on a file system whose free space the test sets. */
const guarded = Effect.gen(function*() {
  const trouble = yield* SubscriptionRef.make<VmTrouble>("none")
  const done: Array<string> = []
  const host = { free: 100 * gib, isPaused: false, looks: 0 }
  yield* guardSpace({
    free: Effect.sync(() => {
      host.looks++
      return host.free
    }),
    trouble,
    isPaused: () => host.isPaused,
    pause: Effect.sync(() => void done.push("pause")),
    resume: Effect.sync(() => void done.push("resume"))
  })
  const after = (ms: number) => Effect.andThen(TestClock.adjust(ms), SubscriptionRef.get(trouble))
  return { after, done, host }
})

describe("a full disk of the host", () => {
  it("the space is looked at before a guest can have used it up, and seldom while there is much", () => {
    assert.strictEqual(untilNextLook(100 * gib), 30_000)
    assert.strictEqual(untilNextLook(gib), 250)
    assert.strictEqual(untilNextLook(0), 250)
    assert.strictEqual(untilNextLook(5 * gib), 2_000)
  })

  it.effect("a VM is paused with the reserve left, and resumes once there is more than that", () =>
    Effect.gen(function*() {
      const { after, done, host } = yield* guarded
      assert.strictEqual(yield* after(60_000), "none")
      assert.isAtMost(host.looks, 4)
      host.free = gib - 1
      assert.strictEqual(yield* after(30_000), "no-space")
      host.free = gib + 1
      assert.strictEqual(yield* after(1_000), "no-space")
      assert.deepStrictEqual(done, ["pause"])
      host.free = 2 * gib
      assert.strictEqual(yield* after(1_000), "none")
      assert.deepStrictEqual(done, ["pause", "resume"])
    }))

  it.effect("a VM that stands still for another reason is left alone", () =>
    Effect.gen(function*() {
      const { after, done, host } = yield* guarded
      host.isPaused = true
      host.free = 0
      assert.strictEqual(yield* after(60_000), "none")
      host.isPaused = false
      assert.strictEqual(yield* after(1_000), "no-space")
      assert.deepStrictEqual(done, ["pause"])
    }))
})
