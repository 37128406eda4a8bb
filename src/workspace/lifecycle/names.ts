import { Effect, Option } from "effect"
import * as fs from "node:fs"
import { Paths } from "../../system/Paths.ts"
import {
  folderOf,
  readWorkspace,
  type WorkspaceFolder,
  WorkspaceId,
  type WorkspaceRecord,
  workspacesDirectory
} from "./record.ts"

/** The workspaces by their records; nobody is asked, and what cannot be read is left out. */
export const recordedWorkspaces: Effect.Effect<ReadonlyArray<WorkspaceRecord>, never, Paths> = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  const ids = yield* Effect.try(() => fs.readdirSync(workspacesDirectory(stateDir)))
  const records = yield* Effect.forEach(
    ids.filter((id) => /^ws-[0-9a-f]{10}$/.test(id)),
    (id) =>
      readWorkspace(folderOf(stateDir, WorkspaceId.make(id))).pipe(
        Effect.map(Option.filter(({ phase }) => phase !== "deleting")),
        Effect.orElseSucceed(() => Option.none<WorkspaceRecord>())
      )
  )
  return records.flatMap(Option.toArray)
}).pipe(Effect.orElseSucceed(() => []))

/** Names of the workspaces, ids of those without one. */
export const recordedNames: Effect.Effect<ReadonlyArray<string>, never, Paths> = Effect.map(
  recordedWorkspaces,
  (all) => all.map(({ id, name }) => name ?? id)
)

/** The names in a workspace's folder of snapshots; what begins with a dot is being removed. */
export const snapshotNames = (folder: WorkspaceFolder): ReadonlyArray<string> =>
  fs.existsSync(folder.snapshots) ? fs.readdirSync(folder.snapshots).filter((name) => !name.startsWith(".")) : []

/** Names of the snapshots of a workspace; none where there is no such workspace. */
export const recordedSnapshots = (workspace: string): Effect.Effect<ReadonlyArray<string>, never, Paths> =>
  Effect.gen(function*() {
    const { stateDir } = yield* Paths
    const found = (yield* recordedWorkspaces).find(({ id, name }) => id === workspace || name === workspace)
    return found === undefined
      ? []
      : yield* Effect.orElseSucceed(Effect.try(() => snapshotNames(folderOf(stateDir, found.id))), () => [])
  })
