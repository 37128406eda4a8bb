import { Effect } from "effect"
import { Paths } from "../system/files/Paths.ts"

/** Serves from the directories of this process's user. */
export const inOwnState = Effect.provide(Paths.layer)
