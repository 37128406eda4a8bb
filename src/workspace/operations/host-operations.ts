import type { Lifecycle } from "../entry/context.ts"
import type { EventLog } from "../entry/events.ts"
import { makePortOperations, type PortOperations } from "./port.ts"
import { makeServiceOperations, type ServiceOperations } from "./service.ts"
import { makeWatchOperations, type WatchOperations } from "./watch/operations.ts"

/** Services, published ports, events, and the use of the host. */
export interface HostOperations extends WatchOperations {
  readonly port: PortOperations
  readonly service: ServiceOperations
}

export const makeHostOperations = (lifecycle: Lifecycle, log: EventLog["Type"]): HostOperations => ({
  port: makePortOperations(lifecycle),
  service: makeServiceOperations(lifecycle.registry),
  ...makeWatchOperations(lifecycle, log)
})
