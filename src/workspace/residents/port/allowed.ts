import { Effect } from "effect"
import { PublishingNotAllowed } from "../../../contract/errors/errors.ts"
import { callerCeiling } from "../../../contract/wire/caller-project.ts"
import type { Network } from "../network/network.ts"

const WITH_PORTS = "egress+published-ports"

/** Whether the policy of the workspace lets a model publish ports. */
export const letsModelsPublish = (network: Pick<Network, "info">): boolean =>
  network.info().networkPolicy === WITH_PORTS

export interface Asked {
  readonly guestPort: number
  /** Workspace, in the words of the caller. */
  readonly workspace: string
  /** A model asked for the port in an earlier request, such as `service_start`. The present fiber may have no caller. */
  readonly byModel: boolean
}

/**
 * Fails if a model asks for more than its server and the workspace's policy grant. A person or a program may always publish. Gives
 * whether a model asks.
 */
export const demandAllowed = (
  { byModel, guestPort, workspace }: Asked,
  network: Pick<Network, "info">
): Effect.Effect<boolean, PublishingNotAllowed> =>
  Effect.flatMap(callerCeiling, (ceiling) => {
    if (ceiling === undefined && !byModel) return Effect.succeed(false)
    if (ceiling !== undefined && ceiling.networkPolicy !== WITH_PORTS) {
      return new PublishingNotAllowed({ workspace, guestPort, reason: "ceiling" })
    }
    return letsModelsPublish(network)
      ? Effect.succeed(true)
      : new PublishingNotAllowed({ workspace, guestPort, reason: "policy" })
  })
