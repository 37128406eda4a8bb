import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import type { GuestChannel } from "../../../../src/lib/guest-channel/GuestChannel.ts"
import { wallClockNs } from "../../../../src/system/waits/time.ts"
import { type Generation, noGeneration } from "../../../../src/workspace/entry/current-generation.ts"
import type { WorkspaceId } from "../../../../src/workspace/entry/record.ts"
import { makeClockKeeper } from "../../../../src/workspace/life/guest/clock-keeper.ts"

/** A host whose wall clock can step. */
const steppingClock = () => {
  let stepMs = 0
  const clock = Effect.map(Clock.Clock, (live) =>
    Object.assign(Object.create(live) as Clock.Clock, {
      currentTimeMillisUnsafe: () => live.currentTimeMillisUnsafe() + stepMs
    }))
  return { clock, step: (ms: number) => void (stepMs += ms) }
}

/** A running workspace whose guest is 90 s behind the host. */
const guestBehind = (id: string) => {
  let aheadNs = -90_000_000_000n
  let readings = 0
  const call = {
    clockGet: () =>
      Effect.sync(() => {
        readings += 1
        return { realtimeNs: wallClockNs() + aheadNs }
      }),
    clockSet: ({ ns }: { readonly ns: bigint }) => Effect.sync(() => void (aheadNs = ns - wallClockNs()))
  }
  const generation = { channel: { call } as unknown as GuestChannel } as Generation
  const current = noGeneration()
  return Effect.as(current.install(generation), {
    entry: { id: id as WorkspaceId, generation: current },
    aheadMs: () => Number(aheadNs) / 1e6,
    readings: () => readings
  })
}

describe("the clocks of running guests", () => {
  it.live("a guest's clock is put right after the host has slept, and is not read before", () =>
    Effect.gen(function*() {
      const { clock, step } = steppingClock()
      const guests = [yield* guestBehind("ws-0000000001"), yield* guestBehind("ws-0000000002")]
      const stopped = { id: "ws-0000000003" as WorkspaceId, generation: noGeneration() }
      const entries = new Map([...guests.map(({ entry }) => entry), stopped].map((entry) => [entry.id, entry]))
      const look = yield* Effect.provideServiceEffect(makeClockKeeper(entries), Clock.Clock, clock)
      yield* look
      assert.deepStrictEqual(guests.map(({ readings }) => readings()), [0, 0])
      step(90_000)
      yield* look
      for (const guest of guests) assert.isBelow(Math.abs(guest.aheadMs()), 20)
      const read = guests.map(({ readings }) => readings())
      yield* look
      assert.deepStrictEqual(guests.map(({ readings }) => readings()), read)
    }))
})
