import { Effect } from "effect"
import type { ChannelFailed } from "../contract/errors/errors.ts"
import type { AgentCallFailed } from "../guest-channel/errors.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import { monotonicMs, wallClockNs } from "../system/waits/time.ts"

/** A guest whose clock is further off than this is set; a reading over the channel is good to a few ms. */
const toleranceMs = 20

/** One reading of the guest's wall clock. */
interface Reading {
  /** How far it is from the host's, in ms; positive when it is ahead. Compared with the middle of the round trip. */
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

/** A reading that had to wait may be off by half its round trip: on a busy host that is more than what is measured. */
const readings = 5

/** How far the guest's wall clock is from the host's, in ms; positive when it is ahead. The quickest of several readings tells. */
export const clockOffsetMs = (channel: GuestChannel) =>
  Effect.map(
    Effect.replicateEffect(read(channel), readings),
    (all) => all.reduce((best, one) => one.roundTripMs < best.roundTripMs ? one : best).offsetMs
  )

/** How often the clock is read before it is taken as it is. Twice is the rule; on a busy host every other message is late. */
const attempts = 8

/** `keepClock` for a guest that was told the time no earlier than `sentAtMs` of the monotonic clock and has answered: it may be right by that. */
export const settleClock = (channel: GuestChannel, sentAtMs: number) =>
  Effect.flatMap(monotonicMs, (now) => now - sentAtMs <= toleranceMs ? Effect.void : keepClock(channel))

/**
 * Puts the guest's wall clock right when it is not: after a restore, where the time was taken before it was sent, after a pause, a
 * host that slept, a step of the host's own clock.
 */
export const keepClock = (
  channel: GuestChannel,
  left: number = attempts
): Effect.Effect<void, AgentCallFailed | ChannelFailed> =>
  Effect.flatMap(read(channel), ({ offsetMs, roundTripMs }) => {
    const off = Math.abs(offsetMs)
    // What took long is half that unsure, and says nothing of a clock that is off by less.
    const unsureMs = roundTripMs / 2
    if (left <= 1 || Math.max(off, unsureMs) <= toleranceMs) return Effect.void
    const again = keepClock(channel, left - 1)
    if (off <= Math.max(toleranceMs, unsureMs)) return again
    // It arrives half a round trip after it is sent.
    const ns = wallClockNs() + BigInt(Math.round(unsureMs * 1e6))
    return Effect.andThen(channel.call.clockSet({ ns }), again)
  })
