import { Effect, Option } from "effect"
import * as fs from "node:fs"
import { Paths } from "../../system/Paths.ts"
import { folderOf, readWorkspace, WorkspaceId, workspacesDirectory } from "./record.ts"

/** Names of the workspaces, ids of those without one, read from their records; nobody is asked, and what cannot be read is left out. */
export const recordedNames: Effect.Effect<ReadonlyArray<string>, never, Paths> = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  const ids = yield* Effect.try(() => fs.readdirSync(workspacesDirectory(stateDir)))
  const names = yield* Effect.forEach(
    ids.filter((id) => /^ws-[0-9a-f]{10}$/.test(id)),
    (id) =>
      readWorkspace(folderOf(stateDir, WorkspaceId.make(id))).pipe(
        Effect.map(Option.filter(({ phase }) => phase !== "deleting")),
        Effect.map(Option.map((record) => record.name ?? record.id)),
        Effect.orElseSucceed(() => Option.none<string>())
      )
  )
  return names.flatMap(Option.toArray)
}).pipe(Effect.orElseSucceed(() => []))
