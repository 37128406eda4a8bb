import { Effect } from "effect"
import { catalogue } from "../environment/catalogue.ts"
import { Paths } from "../system/Paths.ts"
import { recordedNames } from "../workspace/lifecycle/names.ts"

/** Names of the workspaces for a completion: no daemon is asked or started, and nothing can go wrong. */
export const workspaceNames: Effect.Effect<ReadonlyArray<string>> = recordedNames.pipe(
  Effect.provide(Paths.layer),
  Effect.orElseSucceed(() => [])
)

export const environmentNames: ReadonlyArray<string> = catalogue.map(({ name }) => name)
