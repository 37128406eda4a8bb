import { Effect } from "effect"
import {
  PortAlreadyPublished,
  type PortInUse,
  type PortUnavailable,
  type PublishingNotAllowed
} from "../../../contract/errors/errors.ts"
import type { AskedPort, PublishedPort } from "../../../contract/rows/port-fields.ts"
import type { Network } from "../network/network.ts"
import { demandAllowed } from "./allowed.ts"
import type { Listeners } from "./listener.ts"
import { infoOf, type Publication, takeEvents } from "./publication.ts"
import type { HostFailure, PortTable } from "./table.ts"

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

  /** A port that a person asks for stays, whoever published it first. */
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
