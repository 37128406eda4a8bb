import { Schema } from "effect"
import type { ResidentKind } from "../../entry/resident.ts"

/** All that a shell is after a crash, in a fork and in a snapshot is in the journal of commands: there is no state beside. */
export const shellKind: ResidentKind<object> = { key: "shells", state: Schema.Struct({}), upgrades: [] }
