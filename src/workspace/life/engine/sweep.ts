import { Effect, Option, Result } from "effect"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { type HostToolMissing, type NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import type { VmId } from "../../../lib/vm/model/record.ts"
import { sweepWorkspaceVms } from "../../../lib/vm/model/sweep.ts"
import { exists, listIfPresent, namesIn, renameFile, statEntry } from "../../../system/files/entries.ts"
import { attempt, toHostError, toHostErrorOf } from "../../../system/files/failure.ts"
import { withLock } from "../../../system/files/lock.ts"
import { daemonFiles, Paths } from "../../../system/files/Paths.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { bytesBeneath } from "../../../system/files/usage.ts"
import { neededSnapshot } from "../../entry/interrupted.ts"
import { isUnfinished, type WorkspaceRecord, workspacesDirectory } from "../../entry/record.ts"
import { readWorkspaces, savedDirectory } from "../records/recorded.ts"
import { triedSnapshots } from "../records/tried.ts"

/** Prefix of folders that are moved out of the workspaces for removal. No record names them. */
const sweptPrefix = ".swept-"

/** Moves an existing folder, of a workspace or in one, into the trash by one rename. Gives its new path. */
export const moveToTrash = (what: string): Effect.Effect<string, NoSpace | StateDirectoryUnusable, Paths> =>
  Effect.gen(function*() {
    const { stateDir } = yield* Paths
    const aside = path.join(workspacesDirectory(stateDir), `${sweptPrefix}${randomBytes(8).toString("hex")}`)
    // A link is moved itself, whatever its target.
    if ((yield* statEntry(what)) !== undefined) yield* renameFile(what, aside)
    return aside
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(what)(failure))))

const remove = (aside: string) =>
  Effect.mapError(
    removeTree(aside),
    ({ detail }) => new StateDirectoryUnusable({ path: aside, detail: `it cannot be removed: ${detail}` })
  )

/** Removes a folder of `moveToTrash`. The next start and `pyro gc` retry a failed removal. */
export const removeTrashed = (aside: string) =>
  Effect.catch(remove(aside), (failure) => Effect.logWarning(failure.message))

/**
 * Empties the trash. A failure does not stop the other removals. Gives the paths that stay. Safe beside another process that does
 * the same.
 */
export const emptyTrash: Effect.Effect<
  ReadonlyArray<StateDirectoryUnusable>,
  NoSpace | StateDirectoryUnusable,
  Paths
> = Effect.gen(function*() {
  const root = workspacesDirectory((yield* Paths).stateDir)
  const names = yield* Effect.mapError(listIfPresent(root), toHostError)
  const aside = names.filter((name) => name.startsWith(sweptPrefix))
  const [, stay] = yield* Effect.partition(aside, (name) => remove(path.join(root, name)))
  yield* Effect.forEach(stay, (failure) => Effect.logWarning(failure.message), { discard: true })
  return stay
})

/** A VM, or a folder, of no workspace. */
interface SweptWorkspace {
  readonly kind: string
  readonly what: string
  readonly freedBytes: number
}

/**
 * Removes everything that no workspace's record names: half-made or half-deleted folders, VMs, disks of interrupted resets. While a
 * process owns the workspaces, the sweep leaves them alone: the owner swept them at its start, and half-made folders are its own
 * work.
 */
export const sweepWorkspaces: Effect.Effect<
  {
    readonly swept: ReadonlyArray<SweptWorkspace>
    /** Paths that could not be removed. */
    readonly stay: ReadonlyArray<StateDirectoryUnusable>
  },
  HostToolMissing | NoSpace | StateDirectoryUnusable,
  Paths
> = Effect.gen(function*() {
  const { lock } = yield* daemonFiles
  // A starting daemon waits for the lock, so the sweep holds it for renames only, not for the removal of gigabytes.
  const swept = yield* withLock(lock, { timeoutMs: 0 })(detachUnnamed).pipe(
    Effect.catchTags({
      FileFailed: (failure) => Effect.fail(toHostError(failure)),
      LockTimeout: () => Effect.succeed([])
    })
  )
  const stay = yield* emptyTrash
  return { swept, stay }
})

const detachUnnamed = Effect.gen(function*() {
  const read = yield* readWorkspaces
  // A damaged record may name any disk, and a disk in use must stay.
  if (read.some(({ record }) => Result.isFailure(record))) return []
  const records = read.map(({ folder: { directory }, record }) => ({
    directory,
    record: Option.getOrUndefined(Result.getOrElse(record, () => Option.none<WorkspaceRecord>()))
  }))
  const named = records.flatMap(({ record }): ReadonlyArray<VmId> =>
    record?.phase === "running" && record.vm !== undefined && !isUnfinished(record) ? [record.vm] : []
  )
  const swept: Array<SweptWorkspace> = [...yield* sweepWorkspaceVms(new Set(named))]
  const { stateDir } = yield* Paths
  const leftovers = yield* Effect.mapError(
    attempt(
      "scandir",
      stateDir,
      () => [
        ...namelessSaved(stateDir),
        ...records.flatMap(({ directory, record }) =>
          record === undefined || isUnfinished(record)
            ? [{ kind: "workspace", what: directory }]
            : [...otherDisks(directory, record), ...halfMade(directory, record), ...oldMemory(directory, record)].map((
              what
            ) => ({ kind: "disk", what }))
        )
      ]
    ),
    toHostError
  )
  for (const { kind, what } of leftovers) {
    swept.push({ kind, what, freedBytes: bytesBeneath(what) })
    yield* moveToTrash(what)
  }
  return swept
})

/** Saved snapshots that are half made or half removed: folders without a name. */
const namelessSaved = (stateDir: string) =>
  namesIn(savedDirectory(stateDir))
    .filter((name) => name.startsWith("."))
    .map((name) => ({ kind: "saved snapshot", what: path.join(savedDirectory(stateDir), name) }))

/** Removes what a process before has left of saved snapshots. The caller owns the workspaces. */
export const sweepSaved = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  for (const { what } of namelessSaved(stateDir)) yield* moveToTrash(what)
})

const otherDisks = (directory: string, { disk }: WorkspaceRecord) =>
  namesIn(directory)
    .filter((name) => /^disk-\d+$/.test(name) && name !== `disk-${disk}`)
    .map((name) => path.join(directory, name))

/** Memory of a pause that was interrupted, or that a VM continues. */
const oldMemory = (directory: string, { paused }: WorkspaceRecord) =>
  paused === undefined ? [path.join(directory, "paused")].filter(exists) : []

/**
 * Sources of forks, folders of comparisons, the rest of removed snapshots and points, and hidden snapshots without an interrupted reset to them that no
 * candidate of the last try has.
 */
const halfMade = (directory: string, record: WorkspaceRecord) => {
  const needed = neededSnapshot(record)
  const tried = triedSnapshots(directory)
  const hidden = ["snapshots", "points"].flatMap((kind) =>
    namesIn(path.join(directory, kind))
      .filter((name) => name.startsWith(".") && name !== needed && !tried.has(name))
      .map((name) => path.join(directory, kind, name))
  )
  return [
    ...hidden,
    ...["staged", "compared"].map((name) => path.join(directory, name))
  ].filter(exists)
}
