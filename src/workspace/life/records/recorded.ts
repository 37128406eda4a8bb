import { Effect, Option, Result } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { callerTenant } from "../../../contract/wire/identity.ts"
import { listIfPresent } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/failure.ts"
import { readTail } from "../../../system/files/line-log.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { wholeOf } from "../../entry/prefix.ts"
import {
  folderOf,
  isWorkspaceId,
  readWorkspace,
  type WorkspaceFolder,
  type WorkspaceRecord,
  workspacesDirectory
} from "../../entry/record.ts"
import { residentKinds } from "../../residents/open/kinds.ts"

/** The record of every workspace folder: none for a folder without one, a failure for a damaged one. Needs no daemon. */
export const readWorkspaces = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  const root = workspacesDirectory(stateDir)
  const ids = (yield* Effect.mapError(listIfPresent(root), toHostError)).filter(isWorkspaceId)
  return yield* Effect.forEach(ids, (id) => {
    const folder = folderOf(stateDir, id)
    return Effect.map(Effect.result(readWorkspace(folder, residentKinds)), (record) => ({ id, folder, record }))
  })
})

/** The workspaces by their records, without unreadable ones. */
export const recordedWorkspaces: Effect.Effect<ReadonlyArray<WorkspaceRecord>, never, Paths> = Effect.map(
  readWorkspaces,
  (all) => all.flatMap(({ record }) => Option.toArray(Option.flatten(Result.getSuccess(record))))
).pipe(
  Effect.map((records) => records.filter(({ phase, tryOf }) => phase !== "deleting" && tryOf === undefined)),
  Effect.orElseSucceed(() => [])
)

/** Names of the workspaces, ids of those without one. */
export const recordedNames: Effect.Effect<ReadonlyArray<string>, never, Paths> = Effect.map(
  recordedWorkspaces,
  (all) => all.map(({ id, name }) => name ?? id)
)

/** The names in a workspace's folder of snapshots. A name with a leading dot is being removed. */
export const snapshotNames = (
  { snapshots }: WorkspaceFolder
): Effect.Effect<ReadonlyArray<string>, NoSpace | StateDirectoryUnusable> =>
  listIfPresent(snapshots).pipe(
    Effect.map((names) => names.filter((name) => !name.startsWith("."))),
    Effect.mapError(toHostError)
  )

/** Folder of the saved snapshots, which belong to no workspace. */
export const savedDirectory = (stateDir: string) => path.join(stateDir, "saved")

/** Stands between a tenant and a name. No name has it. */
const OF = "@"

/** Name of the folder of a saved snapshot: names may repeat across tenants. */
export const savedEntry = (tenant: string | undefined, name: string) =>
  tenant === undefined ? name : `${tenant}${OF}${name}`

/** The name of the tenant's saved snapshot in a folder of this name. Undefined: it is of another one, half made or half removed. */
const savedName = (tenant: string | undefined, entry: string) => {
  const at = entry.indexOf(OF)
  if (entry.startsWith(".") || (at < 0 ? undefined : entry.slice(0, at)) !== tenant) return undefined
  return entry.slice(at + 1)
}

/** Names of the saved snapshots of the caller's tenant. */
export const savedNames: Effect.Effect<
  ReadonlyArray<string>,
  NoSpace | StateDirectoryUnusable,
  Paths
> = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  const tenant = yield* callerTenant
  const entries = yield* Effect.mapError(listIfPresent(savedDirectory(stateDir)), toHostError)
  return entries.flatMap((entry) => savedName(tenant, entry) ?? [])
})

/** Names of the snapshots of a workspace. None if the workspace does not exist. */
export const recordedSnapshots = (workspace: string): Effect.Effect<ReadonlyArray<string>, never, Paths> =>
  Effect.gen(function*() {
    const folder = yield* folderCalled(workspace)
    return folder === undefined
      ? []
      : yield* Effect.orElseSucceed(snapshotNames(folder), () => [])
  })

/** The folder of a workspace by its name, its id, or the beginning of its id. */
const folderCalled = (workspace: string) =>
  Effect.gen(function*() {
    const { stateDir } = yield* Paths
    const all = yield* recordedWorkspaces
    const whole = wholeOf(workspace, all.map(({ id }) => id))
    const found = all.find(({ name }) => name === workspace) ??
      all.find(({ id }) => whole.length === 1 && id === whole[0])
    return found === undefined ? undefined : folderOf(stateDir, found.id)
  })

/** Commands whose ids a completion offers. */
const OFFERED_COMMANDS = 50

/** Ids of a workspace's newest commands, newest first. None if the workspace does not exist. */
export const recordedCommands = (workspace: string): Effect.Effect<ReadonlyArray<string>, never, Paths> =>
  Effect.gen(function*() {
    const folder = yield* folderCalled(workspace)
    if (folder === undefined) return []
    const lines = yield* Effect.orElseSucceed(
      Effect.try(() => readTail(folder.journal, JOURNAL_BYTES).split("\n")),
      () => []
    )
    const ids = lines.flatMap((line) => /^\{"started":\{"id":"([0-9a-f]{32})"/.exec(line)?.[1] ?? [])
    return ids.slice(-OFFERED_COMMANDS).reverse()
  })

/** Bytes at the end of a journal that a completion reads. */
const JOURNAL_BYTES = 1_048_576
