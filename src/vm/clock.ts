import { Effect } from "effect"
import type { ChannelFailed } from "../contract/errors.ts"
import type { AgentCallFailed } from "../guest-channel/errors.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import { wallClockNs } from "./claim.ts"

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

/** How far the guest's wall clock is from the host's, in ms; positive when it is ahead. */
export const clockOffsetMs = (channel: GuestChannel) => Effect.map(read(channel), ({ offsetMs }) => offsetMs)

/** How often the clock is set before it is taken as it is: each time is closer, unless the host is very busy. */
const attempts = 3

/** `keepClock` for a guest that was told the time no earlier than `sentAtMs` of `performance.now` and has answered: it may be right by that. */
export const settleClock = (channel: GuestChannel, sentAtMs: number) =>
  Effect.suspend(() => performance.now() - sentAtMs <= toleranceMs ? Effect.void : keepClock(channel))

/**
 * Puts the guest's wall clock right when it is not: after a restore, where the time was taken before it was sent, after a pause, a
 * host that slept, a step of the host's own clock.
 */
export const keepClock = (
  channel: GuestChannel,
  left: number = attempts
): Effect.Effect<void, AgentCallFailed | ChannelFailed> =>
  Effect.flatMap(read(channel), ({ offsetMs, roundTripMs }) => {
    if (Math.abs(offsetMs) <= toleranceMs || left === 0) return Effect.void
    // It arrives half a round trip after it is sent.
    const ns = wallClockNs() + BigInt(Math.round(roundTripMs / 2 * 1e6))
    return Effect.zipRight(channel.call.clockSet({ ns }), keepClock(channel, left - 1))
  })
