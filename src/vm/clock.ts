import { Effect } from "effect"
import type { ChannelFailed } from "../contract/errors.ts"
import type { AgentCallFailed } from "../guest-channel/errors.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import { wallClockNs } from "./claim.ts"

/** A guest whose clock is further off than this is set; a reading over the channel is good to a few ms. */
const toleranceMs = 20

/** How far the guest's wall clock is from the host's, in ms; positive when it is ahead. Read half-way through the round trip. */
export const clockOffsetMs = (channel: GuestChannel): Effect.Effect<number, AgentCallFailed | ChannelFailed> =>
  Effect.suspend(() => {
    const asked = wallClockNs()
    return Effect.map(channel.call.clockGet({}), ({ realtimeNs }) => {
      const middle = (asked + wallClockNs()) / 2n
      return Number(realtimeNs - middle) / 1e6
    })
  })

/** Puts the guest's wall clock right when it is not: after a pause, a host that slept, a step of the host's own clock. */
export const keepClock = (channel: GuestChannel): Effect.Effect<void, AgentCallFailed | ChannelFailed> =>
  Effect.flatMap(
    clockOffsetMs(channel),
    (offset) =>
      Math.abs(offset) <= toleranceMs
        ? Effect.void
        : Effect.asVoid(Effect.suspend(() => channel.call.clockSet({ ns: wallClockNs() })))
  )
