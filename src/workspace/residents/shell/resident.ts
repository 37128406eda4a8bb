import { Effect, Schema } from "effect"
import type { Resident, ResidentKind } from "../../entry/resident.ts"
import type { Shells } from "./shells.ts"

/** Shells have no state of their own in a record: the journal of commands has what a fork, a snapshot and the next process need. */
export const shellKind: ResidentKind<object> = { key: "shells", state: Schema.Struct({}), upgrades: [] }

/** The screens of a workspace's shells as a resident. */
export const shellResident = (shells: Shells): Resident<object> => ({
  adopt: shells.adopt,
  // A rewind may bring a shell back with the output of another moment.
  lose: () => Effect.sync(() => shells.renderings.clear()),
  clear: Effect.sync(() => shells.renderings.clear()),
  isBusy: Effect.sync(() => shells.isAttached()),
  describe: Effect.sync(() => {
    const count = shells.count()
    return count === 0 ? {} : { shells: count }
  })
})
