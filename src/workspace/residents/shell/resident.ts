import { Effect } from "effect"
import type { Resident } from "../../entry/resident.ts"
import type { Shells } from "./shells.ts"

/** The screens of a workspace's shells as a resident. */
export const shellResident = (shells: Shells): Resident<object> => ({
  adopt: shells.adopt,
  lose: () => Effect.void,
  clear: Effect.sync(() => shells.renderings.clear()),
  isBusy: Effect.sync(() => shells.isAttached()),
  describe: Effect.sync(() => {
    const count = shells.count()
    return count === 0 ? {} : { shells: count }
  })
})
