import { Effect } from "effect"
import { type ChannelFailed, NetworkUnsupported } from "../../contract/errors.ts"
import { NetworkMode } from "../../guest-channel/calls.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { GuestFile } from "../guest-file.ts"

/** Nobody's address: the agent answers look-ups that are sent to any address. With a network device, the resolver has this address. */
const RESOLVER = "nameserver 198.18.0.2\n"

export const resolverFile = {
  path: "/etc/resolv.conf",
  without: (content) => content === RESOLVER ? undefined : content
} as const satisfies GuestFile

/**
 * Lets the guest's programs ask for connections. A root without a usable /etc/resolv.conf, such as a dangling link, keeps its own: its programs
 * then connect to addresses only.
 */
export const turnOn = ({ call }: Pick<GuestChannel, "call">) => turnOnBy({ call }, NetworkMode.on)

const turnOnBy = (
  { call }: Pick<GuestChannel, "call">,
  mode: number
): Effect.Effect<void, NetworkUnsupported | ChannelFailed> =>
  // Both calls go in one write, in this order.
  Effect.all([
    Effect.catchTag(
      call.writeSmall({ path: resolverFile.path, mode: 0o644, content: Buffer.from(RESOLVER) }),
      "AgentCallFailed",
      (failure) => Effect.logWarning(`the guest's resolver is not set: ${failure.message}`)
    ),
    Effect.catchTag(
      call.network({ mode }),
      "AgentCallFailed",
      (failure) => new NetworkUnsupported({ detail: failure.message })
    )
  ], { concurrency: 2, discard: true })

/** Gives the guest's network device its address, its route and its resolver. The host decides about every packet. */
export const turnOnDevice = ({ call }: Pick<GuestChannel, "call">) => turnOnBy({ call }, NetworkMode.device)

/** Resets the guest's connections and takes its network away. The host refuses every request in any case. */
export const turnOff = ({ call }: Pick<GuestChannel, "call">): Effect.Effect<void> =>
  Effect.ignoreLogged(call.network({ mode: NetworkMode.off }))
