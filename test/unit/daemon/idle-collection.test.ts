import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"
import { makeIdleCollection } from "../../../src/daemon/server/request-tracker.ts"
import { collectGarbage } from "../../../src/system/processes/collector.ts"

const mib = 1024 * 1024
const heapMib = () => process.memoryUsage().heapUsed / mib

/** Objects that nobody holds, old enough that only a full collection takes them. */
const litter = (ofMib: number) => {
  let held: Array<{ readonly at: number }> | undefined = Array.from({ length: ofMib * mib / 16 }, (_, at) => ({ at }))
  collectGarbage({ type: "minor" })
  collectGarbage({ type: "minor" })
  assert.isAbove(held.length, 0)
  held = undefined
}

const clock = { nowMs: () => 0, monotonicMs: () => performance.now() }

describe("what requests leave behind", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
    collectGarbage()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it("garbage is collected after an idle time only", () => {
    const { busy, idle } = makeIdleCollection(clock)
    const before = heapMib()
    litter(24)
    idle()
    vi.advanceTimersByTime(9_900)
    busy()
    vi.advanceTimersByTime(60_000)
    assert.isAbove(heapMib() - before, 16)
    idle()
    vi.advanceTimersByTime(10_000)
    assert.isBelow(heapMib() - before, 8)
  })

  it("garbage collection waits if one has just run", () => {
    const { idle } = makeIdleCollection(clock)
    const before = heapMib()
    litter(24)
    idle()
    vi.advanceTimersByTime(10_000)
    litter(24)
    idle()
    vi.advanceTimersByTime(10_000)
    assert.isAbove(heapMib() - before, 16)
    vi.advanceTimersByTime(10_000)
    assert.isBelow(heapMib() - before, 8)
  })
})
