import { Effect } from "effect"
import {
  PortAlreadyPublished,
  type PortInUse,
  type PortUnavailable,
  PublishingNotAllowed
} from "../../../contract/errors/errors.ts"
import type { AskedPort, PublishedPort } from "../../../contract/rows/workspace-port.ts"
import { callerCeiling } from "../../../contract/wire/caller-project.ts"
import type { Network } from "../network/network.ts"
import type { Listeners } from "./listener.ts"
import { type HostFailure, infoOf, type PortTable, type Publication, takeEvents } from "./table.ts"

const WITH_PORTS = "egress+published-ports"

/** Whether the policy of the workspace lets a model publish ports. */
export const letsModelsPublish = (network: Pick<Network, "info">): boolean =>
  network.info().networkPolicy === WITH_PORTS

interface Asked {
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

interface PublishRequest extends AskedPort {
  /** Service that the port belongs to. @default none */
  readonly service?: string
  /** A model asked for the port in an earlier request. @default the caller of this one decides */
  readonly byModel?: boolean
  /** Workspace in the words of the caller, for errors. @default its id */
  readonly workspace?: string
}

export type Publish = (
  request: PublishRequest
) => Effect.Effect<
  PublishedPort,
  PortInUse | PortUnavailable | PortAlreadyPublished | PublishingNotAllowed | HostFailure
>

/** Publishes ports of the workspace `id`. One request at a time. */
export const makePublish = (
  id: string,
  table: PortTable,
  listeners: Listeners,
  network: Pick<Network, "info">
): Publish => {
  const existing = (
    { listener, stored }: Publication,
    { guestPort, hostPort, service, workspace = id }: PublishRequest
  ) =>
    stored.service === service && (hostPort === undefined || hostPort === listener?.hostPort)
      ? Effect.void
      : new PortAlreadyPublished({
        workspace,
        guestPort,
        ...(listener === undefined ? {} : { hostPort: listener.hostPort }),
        ...(stored.service === undefined ? {} : { service: stored.service })
      })

  /** A port that a person asks for stays, also if a model published it first. */
  const makePersons = (publication: Publication) => {
    const { byModel, ...rest } = publication.stored
    if (byModel === undefined) return Effect.void
    publication.stored = rest
    return table.write
  }

  return (request) =>
    Effect.gen(function*() {
      const { byModel = false, guestPort, hostPort, service, workspace = id } = request
      const isModels = yield* demandAllowed({ byModel, guestPort, workspace }, network)
      const before = table.published.get(guestPort)
      if (before !== undefined) {
        yield* existing(before, request)
        if (!isModels) yield* makePersons(before)
        if (before.listener !== undefined) return infoOf(before)
      }
      const listener = yield* listeners.listen(guestPort, hostPort ?? 0)
      const publication: Publication = {
        stored: {
          guestPort,
          hostPort: listener.hostPort,
          ...(service === undefined ? {} : { service }),
          ...(isModels ? { byModel: true } : {})
        },
        listener
      }
      table.published.set(guestPort, publication)
      const events = takeEvents(publication)
      yield* Effect.onError(table.write, () => {
        table.published.delete(guestPort)
        return listeners.close(publication)
      })
      yield* table.record(events)
      return infoOf(publication)
    }).pipe(Effect.uninterruptible)
}
