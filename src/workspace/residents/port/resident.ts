import { Effect } from "effect"
import type { Resident } from "../../entry/resident.ts"
import type { Ports } from "./ports.ts"
import type { PortState } from "./state.ts"

/**
 * A workspace's published ports as a resident. Open connections end with their VM: a copy of its memory has none. A service's ports come
 * and go with the service.
 */
export const portResident = (ports: Ports): Resident<PortState> => ({
  begin: ports.begin,
  adopt: ports.begin,
  lose: () => ports.lose,
  note: () => Effect.sync(ports.noted),
  inherit: ports.inherit,
  clear: ports.clear,
  takeWarnings: ports.takeWarnings,
  isBusy: Effect.sync(() => ports.open() > 0),
  describe: Effect.sync(() => {
    const all = ports.list()
    return all.length === 0 ? {} : { ports: all }
  })
})
