import { Effect } from "effect"
import { catalogue } from "../lib/environment/model/catalogue.ts"
import { ownDefinitions, ownFolder } from "../lib/environment/model/own.ts"
import { Paths } from "../system/files/Paths.ts"
import {
  recordedCommands,
  recordedNames,
  recordedSnapshots,
  recordedWorkspaces,
  savedNames
} from "../workspace/life/records/recorded.ts"

/** Names for a completion. Asks and starts no daemon, and never fails. */
const orNone = <E>(names: Effect.Effect<ReadonlyArray<string>, E, Paths>): Effect.Effect<ReadonlyArray<string>> =>
  names.pipe(Effect.provide(Paths.layer), Effect.orElseSucceed(() => []))

export const workspaceNames = orNone(recordedNames)

export const workspaceIds = orNone(Effect.map(recordedWorkspaces, (all) => all.map(({ id }) => id)))

/** Ids of a workspace's newest commands. */
export const commandsOf = (workspace: string) => orNone(recordedCommands(workspace))

export const snapshotsOf = (workspace: string) => orNone(recordedSnapshots(workspace))

export const savedSnapshots = orNone(savedNames)

/** Names of the environments: those of the catalogue and the user's own. */
export const environmentNames = Effect.map(
  orNone(
    Effect.flatMap(
      Paths,
      ({ stateDir }) => Effect.map(ownDefinitions(ownFolder(stateDir)).all, (own) => own.map(({ name }) => name))
    )
  ),
  (own) => [...catalogue.map(({ name }) => name), ...own]
)
