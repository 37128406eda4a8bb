import { assert, describe, it } from "@effect/vitest"
import { Effect, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import {
  demandSpace,
  guardSpace,
  type Paused,
  untilNextLook
} from "../../../../../../src/lib/vm/driver/firecracker/full-disk.ts"
import { vmFailed } from "../../../../../../src/lib/vm/model/failure.ts"
import type { VmTrouble } from "../../../../../../src/lib/vm/model/Vm.ts"

const gib = 1024 ** 3

/** A guarded VM on a file system whose free space the test sets. */
const guarded = Effect.gen(function*() {
  const trouble = yield* SubscriptionRef.make<VmTrouble>("none")
  const done: Array<string> = []
  const host = { free: 100 * gib, paused: "no" as Paused, looks: 0 }
  const turn = (verb: string, to: Paused) =>
    Effect.sync(() => {
      done.push(verb)
      host.paused = to
    })
  yield* guardSpace({
    free: Effect.sync(() => {
      host.looks++
      return host.free
    }),
    trouble,
    paused: () => host.paused,
    pause: turn("pause", "full"),
    resume: turn("resume", "no")
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
      host.paused = "caller"
      host.free = 0
      assert.strictEqual(yield* after(60_000), "none")
      host.paused = "no"
      assert.strictEqual(yield* after(1_000), "no-space")
      assert.deepStrictEqual(done, ["pause"])
    }))

  it.effect("a VM that a caller resumes while the disk is full is paused again, and else counts as running", () =>
    Effect.gen(function*() {
      const { after, done, host } = yield* guarded
      host.free = 0
      assert.strictEqual(yield* after(30_000), "no-space")
      host.paused = "no"
      assert.strictEqual(yield* after(1_000), "no-space")
      assert.deepStrictEqual(done, ["pause", "pause"])
      host.paused = "no"
      host.free = 2 * gib
      assert.strictEqual(yield* after(1_000), "none")
      assert.deepStrictEqual(done, ["pause", "pause"])
    }))

  it.effect("a pause that fails is tried again soon: the VM had not begun", () =>
    Effect.gen(function*() {
      const trouble = yield* SubscriptionRef.make<VmTrouble>("none")
      let tries = 0
      yield* guardSpace({
        free: Effect.succeed(0),
        trouble,
        paused: () => tries > 1 ? "full" : "no",
        pause: Effect.suspend(() => ++tries > 1 ? Effect.void : vmFailed("pause", "no machine")),
        resume: Effect.void
      })
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual([tries, yield* SubscriptionRef.get(trouble)], [2, "no-space"])
    }))

  it.effect("a new VM needs the reserve, in a folder that exists", () =>
    Effect.gen(function*() {
      yield* demandSpace("/nowhere")
      // A file system of the kernel's without any space.
      const failure = yield* Effect.flip(demandSpace("/proc"))
      assert.deepInclude(failure, { _tag: "NoSpace", neededMib: 1024, availableMib: 0, path: "/proc" })
    }))
})
