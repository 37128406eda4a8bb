import { Effect } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import { workspaceTrees } from "./baseline.ts"

/** Maximum time for the guest to write its memory to the disk before its end or capture. */
const syncTimeout = "30 seconds"

const unlessSlow = <E extends AgentCallFailed>(work: Effect.Effect<void, E | ChannelFailed>) =>
  work.pipe(
    Effect.interruptible,
    Effect.timeout(syncTimeout),
    Effect.catch((failure): Effect.Effect<void, ChannelFailed> =>
      failure._tag === "ChannelFailed" && failure.reason === "silent" ? Effect.fail(failure) : Effect.logDebug(failure)
    )
  )

/** Makes the guest write its memory to the disk. A slow guest or a refusal is ignored; a silent guest fails. */
export const flush = (channel: GuestChannel): Effect.Effect<void, ChannelFailed> =>
  unlessSlow(channel.call.sync({ dropCaches: 0 }))

/**
 * `flush` for a disk that another VM will mount: the mount has no journal to replay then, which is most of its time without KVM. An agent that
 * cannot do it flushes.
 */
export const flushForMount = ({ call }: GuestChannel): Effect.Effect<void, ChannelFailed> =>
  unlessSlow(
    Effect.catchTag(
      call.checkpoint({ path: workspaceTrees.live.root }),
      "AgentCallFailed",
      () => call.sync({ dropCaches: 0 })
    )
  )
