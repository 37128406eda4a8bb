import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { makeEventQueue, watchHealth } from "../../../../../../src/lib/vm/driver/qemu/health.ts"
import type { Qmp } from "../../../../../../src/lib/vm/driver/qemu/qmp.ts"
import type { VmmProcess } from "../../../../../../src/lib/vm/driver/vmm-process.ts"

const qemu: VmmProcess = {
  identity: { pid: 1, startTicks: 0, bootId: "" },
  ended: Effect.never,
  isAlive: () => true
}

const qmpWith = (printed: string, closed: Effect.Effect<void> = Effect.never): Qmp => ({
  execute: (command) => Effect.succeed(command === "ringbuf-read" ? printed : undefined),
  executeAll: () => Effect.void,
  closed
})

const watched = (qmp: Qmp) =>
  Effect.gen(function*() {
    const events = yield* makeEventQueue
    const health = yield* watchHealth({ qemu, qmp, events, directory: "/tmp", status: "running" })
    return { events, health }
  })

describe("the health of a VM", () => {
  it.live("a VM's health shows the guest's console without carriage returns and escape sequences", () =>
    Effect.gen(function*() {
      const printed = "first\r\n\r\nhidden\rshown\u001b[2J\r\r\nKernel panic - not syncing: \u001b[31mred\r\nlast\r"
      const { events, health } = yield* watched(qmpWith(printed))
      yield* Queue.offer(events, { event: "GUEST_PANICKED", data: {} })
      const failure = yield* Effect.flip(health.failure)
      assert.strictEqual(
        failure.consoleTail,
        "first\n\nhidden\\x0dshown\\x1b[2J\nKernel panic - not syncing: \\x1b[31mred\nlast"
      )
      assert.strictEqual(failure.detail, "Kernel panic - not syncing: \\x1b[31mred")
      assert.notMatch(failure.message, /[\r\u001b]/)
    }))

  it.live("a VM's health check fails without QEMU's monitor, although QEMU runs", () =>
    Effect.gen(function*() {
      const { health } = yield* watched(qmpWith("", Effect.void))
      assert.match((yield* Effect.flip(health.failure)).message, /monitor does not answer/)
    }))
})
