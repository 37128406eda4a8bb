import { Effect, Stream } from "effect"
import { printable } from "../../contract/text/printable.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { deadlineScale } from "../../system/settings/deadline-scale.ts"
import type { Guest } from "../../vm/guest.ts"

/** Larger files stay unchanged: no resolver reads so much. */
const maxHostsBytes = 65_536

const renameTimeoutMs = 5_000 * deadlineScale

/** A guest's /etc/hosts, where it can be read. */
export const readHosts = (channel: GuestChannel) =>
  channel.read({ root: "/", path: "etc/hosts", limit: maxHostsBytes }).pipe(
    Stream.runCollect,
    Effect.map(Buffer.concat),
    Effect.map((bytes) => bytes.length === maxHostsBytes ? undefined : bytes.toString("latin1")),
    Effect.catchTag("AgentCallFailed", () => Effect.succeed(undefined))
  )

/**
 * Gives a running guest another host name. The name of the workspace does not depend on it: of a guest that refuses, the daemon's log tells,
 * and its next generation has the name.
 */
export const renameGuest = ({ channel, vm }: Guest, hostname: string): Effect.Effect<void> =>
  Effect.flatMap(readHosts(channel), (hosts) => channel.chain(vm.steps.rename(hostname, hosts))).pipe(
    Effect.timeout(renameTimeoutMs),
    Effect.catch((failure) =>
      Effect.logWarning(`a guest did not take the host name ${hostname}: ${printable(failure.message)}`)
    )
  )
