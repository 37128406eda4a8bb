import { describe, expect, it } from "@effect/vitest"
import { makeUntilQuiet, paceOf } from "../../../bench/quiet.ts"

const patience = { atMost: 1.2, inARow: 2, everyMs: 1, longestMs: 10_000 }

/** A host whose command takes these times, one after the other, and the last from then on. */
const host = (...times: ReadonlyArray<number>) => {
  let looks = 0
  const pace = paceOf(async () => times[Math.min(looks++, times.length - 1)] ?? 0)
  return { pace, looks: () => looks }
}

describe("a quiet host", () => {
  it("a host counts as quiet if several looks in a row are near its best pace", async () => {
    const { looks, pace } = host(3, 6, 5, 3.5, 4, 3.3, 3.2, 9)
    expect(await pace.look()).toBe(1)
    expect(await makeUntilQuiet(pace, patience)()).toBe(true)
    expect(looks()).toBe(7)
  })

  it("the bench updates a host's best pace while it waits", async () => {
    const { looks, pace } = host(6, 3, 3)
    await pace.look()
    expect(await makeUntilQuiet(pace, patience)()).toBe(true)
    expect(looks()).toBe(3)
  })

  it("the bench waits for a quiet host for a bounded time", async () => {
    const { looks, pace } = host(3, 9)
    await pace.look()
    const untilQuiet = makeUntilQuiet(pace, { ...patience, longestMs: 20 })
    expect(await untilQuiet()).toBe(false)
    const before = looks()
    // What there was to wait is used up.
    expect(await untilQuiet()).toBe(false)
    expect(looks()).toBe(before)
  })
})
