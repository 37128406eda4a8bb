import { Effect } from "effect"
import { type ChannelFailed, NetworkUnsupported } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { NetworkMode } from "../../../lib/guest-channel/model/calls.ts"
import type { AgentCallFailed } from "../../../lib/guest-channel/model/errors.ts"
import { resolverContent } from "../../../lib/vm/model/guest-steps.ts"
import type { Guest } from "../../../lib/vm/model/guest.ts"
import type { GuestFile } from "../program/guest-file.ts"

type ClaimedGuest = Pick<Guest, "channel" | "vm">

export const resolverFile = {
  path: "/etc/resolv.conf",
  without: (content) => content === resolverContent ? undefined : content
} as const satisfies GuestFile

type Resolver = Effect.Effect<void, AgentCallFailed | ChannelFailed>

/** A root without a usable /etc/resolv.conf, such as a dangling link, keeps its own: its programs then connect to addresses only. */
const writeResolver = ({ call }: Pick<GuestChannel, "call">): Resolver =>
  call.writeSmall({ path: resolverFile.path, mode: 0o644, content: Buffer.from(resolverContent) })

/** The same for a guest that was just claimed: its file covers the file of the disk. */
const coverResolver = ({ channel, vm }: ClaimedGuest): Resolver =>
  Effect.catchTag(
    Effect.asVoid(channel.chain(vm.steps.coverResolver)),
    "AgentCallFailed",
    () => writeResolver(channel)
  )

const turnOnBy = (
  { call }: Pick<GuestChannel, "call">,
  mode: number,
  resolver: Resolver
): Effect.Effect<void, NetworkUnsupported | ChannelFailed> => {
  const resolved = Effect.catchTag(
    resolver,
    "AgentCallFailed",
    (failure) => Effect.logWarning(`the guest's resolver is not set: ${failure.message}`)
  )
  const turned = Effect.catchTag(
    call.network({ mode }),
    "AgentCallFailed",
    (failure) => new NetworkUnsupported({ detail: failure.message })
  )
  // The calls go in one write, in this order.
  return Effect.all([resolved, turned], { concurrency: 2, discard: true })
}

/** Lets the guest's programs ask for connections. */
export const turnOn = (channel: Pick<GuestChannel, "call">) => turnOnBy(channel, NetworkMode.on, writeResolver(channel))

/** The same for a guest that was just claimed. */
export const turnOnClaimed = (guest: ClaimedGuest) =>
  turnOnBy(guest.channel, NetworkMode.onClaimed, coverResolver(guest))

/** Watches a guest that was just claimed, as `watch` does. */
export const watchClaimed = (guest: ClaimedGuest): Effect.Effect<void, ChannelFailed> =>
  Effect.catchTag(turnOnClaimed(guest), "NetworkUnsupported", ({ message }) => Effect.logWarning(message))

/**
 * Brings the attempts of a guest without a network to the host, which denies and logs them. A guest whose kernel cannot steer is not watched: it has
 * no network in any case.
 */
export const watch = (channel: Pick<GuestChannel, "call">): Effect.Effect<void, ChannelFailed> =>
  Effect.catchTag(turnOn(channel), "NetworkUnsupported", ({ message }) => Effect.logWarning(message))

/** Resets the guest's connections and takes its network away. The host refuses every request in any case. */
export const turnOff = ({ call }: Pick<GuestChannel, "call">): Effect.Effect<void> =>
  Effect.ignoreCause(call.network({ mode: NetworkMode.off }))
