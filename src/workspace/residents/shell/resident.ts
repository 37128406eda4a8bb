import { Effect, Schema } from "effect"
import type { Resident, ResidentKind } from "../../entry/resident.ts"
import type { Shells } from "./shells.ts"

/** All that a shell is after a crash, in a fork and in a snapshot is in the journal of commands: there is no state beside. */
export const shellKind: ResidentKind<object> = { key: "shells", state: Schema.Struct({}), upgrades: [] }

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
