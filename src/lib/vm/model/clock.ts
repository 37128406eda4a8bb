import { Effect } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import { monotonicMs, wallClockNs } from "../../../system/waits/time.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../guest-channel/model/errors.ts"

/** A guest's clock is set if it is further off than this. A reading over the channel is accurate to a few ms. */
const toleranceMs = 20

/** One reading of the guest's wall clock. */
interface Reading {
  /** Difference from the host's clock, in ms; positive if the guest is ahead. Compared with the middle of the round trip. */
  readonly offsetMs: number
  readonly roundTripMs: number
}

const read = (channel: GuestChannel): Effect.Effect<Reading, AgentCallFailed | ChannelFailed> =>
  Effect.suspend(() => {
    const asked = wallClockNs()
    return Effect.map(channel.call.clockGet({}), ({ realtimeNs }) => {
      const answered = wallClockNs()
      return {
        offsetMs: Number(realtimeNs - (asked + answered) / 2n) / 1e6,
        roundTripMs: Number(answered - asked) / 1e6
      }
    })
  })

/** A delayed reading may be wrong by half its round trip, which exceeds the measured value on a busy host. */
const readings = 5

/** Difference of the guest's wall clock from the host's, in ms; positive if the guest is ahead. The quickest of several readings counts. */
export const clockOffsetMs = (channel: GuestChannel) =>
  Effect.map(
    Effect.replicateEffect(read(channel), readings),
    (all) => all.reduce((best, one) => one.roundTripMs < best.roundTripMs ? one : best).offsetMs
  )

/** Maximum number of readings. Two are usual; on a busy host every other message is late. */
const attempts = 8

/**
 * `keepClock` for a guest that got the time no earlier than `sentAtMs` of the monotonic clock and has answered. Its clock may be correct
 * already.
 */
export const settleClock = (channel: GuestChannel, sentAtMs: number) =>
  Effect.flatMap(monotonicMs, (now) => now - sentAtMs <= toleranceMs ? Effect.void : keepClock(channel))

/** Corrects the guest's wall clock if needed: after a restore, a pause, a suspend of the host, or a step of the host's clock. */
export const keepClock = (
  channel: GuestChannel,
  left: number = attempts
): Effect.Effect<void, AgentCallFailed | ChannelFailed> =>
  Effect.flatMap(read(channel), ({ offsetMs, roundTripMs }) => {
    const off = Math.abs(offsetMs)
    // The error of a reading is half its round trip: a smaller difference proves nothing.
    const unsureMs = roundTripMs / 2
    if (left <= 1 || Math.max(off, unsureMs) <= toleranceMs) return Effect.void
    const again = keepClock(channel, left - 1)
    if (off <= Math.max(toleranceMs, unsureMs)) return again
    // The call arrives half a round trip later.
    const ns = wallClockNs() + BigInt(Math.round(unsureMs * 1e6))
    return Effect.andThen(channel.call.clockSet({ ns }), again)
  })
