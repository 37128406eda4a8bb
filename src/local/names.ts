import { Effect } from "effect"
import { catalogue } from "../environment/catalogue.ts"
import { ownDefinitions, ownFolder } from "../environment/own.ts"
import { Paths } from "../system/files/Paths.ts"
import { recordedCommands, recordedNames, recordedSnapshots, recordedWorkspaces } from "../workspace/life/recorded.ts"

/** Names of the workspaces for a completion. Asks and starts no daemon, and never fails. */
export const workspaceNames: Effect.Effect<ReadonlyArray<string>> = recordedNames.pipe(
  Effect.provide(Paths.layer),
  Effect.orElseSucceed(() => [])
)

/** Ids of the workspaces. */
export const workspaceIds: Effect.Effect<ReadonlyArray<string>> = recordedWorkspaces.pipe(
  Effect.map((all) => all.map(({ id }) => id)),
  Effect.provide(Paths.layer),
  Effect.orElseSucceed(() => [])
)

/** Ids of a workspace's newest commands. */
export const commandsOf = (workspace: string): Effect.Effect<ReadonlyArray<string>> =>
  recordedCommands(workspace).pipe(
    Effect.provide(Paths.layer),
    Effect.orElseSucceed(() => [])
  )

/** Names of a workspace's snapshots. */
export const snapshotsOf = (workspace: string): Effect.Effect<ReadonlyArray<string>> =>
  recordedSnapshots(workspace).pipe(
    Effect.provide(Paths.layer),
    Effect.orElseSucceed(() => [])
  )

/** Names of the environments: those of the catalogue and the user's own. */
export const environmentNames: Effect.Effect<ReadonlyArray<string>> = Paths.pipe(
  Effect.flatMap(({ stateDir }) => ownDefinitions(ownFolder(stateDir)).all),
  Effect.provide(Paths.layer),
  Effect.orElseSucceed(() => []),
  Effect.map((own) => [...catalogue, ...own].map(({ name }) => name))
)
