import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { GuestChannel } from "../../../../../src/lib/guest-channel/GuestChannel.ts"
import { clockOffsetMs, keepClock } from "../../../../../src/lib/vm/model/clock.ts"
import { wallClockNs } from "../../../../../src/system/waits/time.ts"

/** A guest whose clock is `aheadMs` ahead, and whose messages take as many ms as `delays` says, there and back in turn; then none. */
const guestAhead = (aheadMs: number, delays: Array<number>) => {
  let ahead = BigInt(aheadMs) * 1_000_000n
  let sets = 0
  const travel = Effect.suspend(() => {
    const ms = delays.shift() ?? 0
    return ms === 0 ? Effect.void : Effect.sleep(ms)
  })
  const call = {
    clockGet: () =>
      travel.pipe(
        Effect.andThen(Effect.sync(() => ({ realtimeNs: wallClockNs() + ahead }))),
        Effect.tap(() => travel)
      ),
    clockSet: ({ ns }: { readonly ns: bigint }) =>
      travel.pipe(
        Effect.andThen(Effect.sync(() => {
          ahead = ns - wallClockNs()
          sets += 1
        })),
        Effect.tap(() => travel)
      )
  }
  return {
    channel: { call } as unknown as GuestChannel,
    aheadMs: () => Number(ahead) / 1e6,
    sets: () => sets
  }
}

describe("the guest's wall clock", () => {
  it.live("a claim sets a wrong guest clock and does not set a right one", () =>
    Effect.gen(function*() {
      const off = guestAhead(5000, [])
      yield* keepClock(off.channel)
      assert.isBelow(Math.abs(off.aheadMs()), 20)
      const right = guestAhead(5, [])
      yield* keepClock(right.channel)
      assert.strictEqual(right.sets(), 0)
    }))

  it.live("a claim sets the guest's clock right despite late messages, and a late answer does not set it wrong", () =>
    Effect.gen(function*() {
      // The first time is set by a late message; the next reading hides that behind a late answer.
      const late = guestAhead(5000, [0, 0, 150, 0, 300, 0])
      yield* keepClock(late.channel)
      assert.isBelow(Math.abs(late.aheadMs()), 20)
      const right = guestAhead(0, [0, 300])
      yield* keepClock(right.channel)
      assert.strictEqual(right.sets(), 0)
    }))

  it.live("the quickest of several readings measures the guest's clock", () =>
    Effect.gen(function*() {
      const guest = guestAhead(7, [0, 200, 200])
      assert.approximately(yield* clockOffsetMs(guest.channel), 7, 10)
    }))
})
