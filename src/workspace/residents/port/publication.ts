import type { Scope } from "effect"
import type { PublishedPort } from "../../../contract/rows/port-fields.ts"
import type { NewEvent } from "../../entry/events.ts"
import type { StoredPort } from "./state.ts"

/** One published port. */
export interface Publication {
  stored: StoredPort
  /** The listener, while the workspace has a VM. */
  listener: { readonly hostPort: number; readonly scope: Scope.Closeable } | undefined
}

export const infoOf = ({ listener, stored: { guestPort, service } }: Publication): PublishedPort => ({
  guestPort,
  ...(listener === undefined ? {} : { hostPort: listener.hostPort }),
  ...(service === undefined ? {} : { service })
})

/**
 * Events of a change of the listener that the event log does not have yet. Notes in the publication that the log has the events, so that
 * each beginning and each end is told once, also by another process.
 */
export const takeEvents = (publication: Publication): ReadonlyArray<NewEvent> => {
  const { listener, stored } = publication
  const { announced, ...rest } = stored
  const hostPort = listener?.hostPort
  if (announced === hostPort) return []
  publication.stored = { ...rest, ...(hostPort === undefined ? {} : { announced: hostPort }) }
  const { guestPort, service } = stored
  const of = { guestPort, ...(service === undefined ? {} : { service }) }
  return [
    ...(announced === undefined ? [] : [{ _tag: "port_unpublished", ...of, hostPort: announced } as const]),
    ...(hostPort === undefined ? [] : [{ _tag: "port_published", ...of, hostPort } as const])
  ]
}
