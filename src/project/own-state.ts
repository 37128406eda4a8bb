import { Effect } from "effect"
import { Paths } from "../system/files/Paths.ts"

/** Works on projects with the state directory of this process. */
export const inOwnState = Effect.provide(Paths.layer)
