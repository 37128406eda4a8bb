import { Effect } from "effect"
import { callerCeiling } from "../../contract/caller-project.ts"
import { PublishingNotAllowed } from "../../contract/errors.ts"
import type { Network } from "../network/network.ts"

const WITH_PORTS = "egress+published-ports"

/** Fails if a model asks for more than its server and the workspace's policy grant. A person or a program may always publish. */
export const demandAllowed = (
  guestPort: number,
  network: Pick<Network, "info">
): Effect.Effect<void, PublishingNotAllowed> =>
  Effect.flatMap(callerCeiling, (ceiling) => {
    if (ceiling === undefined) return Effect.void
    if (ceiling.networkPolicy !== WITH_PORTS) return new PublishingNotAllowed({ guestPort, reason: "ceiling" })
    return network.info()?.networkPolicy === WITH_PORTS
      ? Effect.void
      : new PublishingNotAllowed({ guestPort, reason: "policy" })
  })
