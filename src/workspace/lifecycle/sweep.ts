import { Effect, Either, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, StateDirectoryUnusable } from "../../contract/errors.ts"
import { bytesBeneath } from "../../environment/temporary.ts"
import { daemonFiles } from "../../system/daemon-files.ts"
import { withLock } from "../../system/lock.ts"
import { Paths } from "../../system/Paths.ts"
import type { VmId } from "../../vm/record.ts"
import { sweepWorkspaceVms } from "../../vm/sweep.ts"
import { isId } from "./adopt.ts"
import { folderOf, readWorkspace, type WorkspaceRecord, workspacesDirectory } from "./record.ts"

/** A VM, or a folder, of no workspace. */
export interface SweptWorkspace {
  readonly kind: string
  readonly what: string
  readonly freedBytes: number
}

/**
 * Removes what no workspace's record names: folders that were half made or half deleted, VMs, disks of resets that were cut short.
 * While a process has the workspaces nothing is done: that one did it when it began, and what is half made now is its own.
 */
export const sweepWorkspaces: Effect.Effect<
  ReadonlyArray<SweptWorkspace>,
  HostToolMissing | StateDirectoryUnusable,
  Paths
> = Effect.gen(function*() {
  const { lock } = yield* daemonFiles
  return yield* withLock(lock, { timeoutMs: 0 })(unnamed).pipe(
    Effect.catchTag("LockTimeout", () => Effect.succeed([]))
  )
})

const unnamed = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  const root = workspacesDirectory(stateDir)
  const ids = fs.existsSync(root) ? fs.readdirSync(root).filter(isId) : []
  const read = yield* Effect.forEach(
    ids,
    (id) => Effect.map(Effect.either(readWorkspace(folderOf(stateDir, id))), (record) => ({ id, record }))
  )
  const records = read.flatMap(({ record }) =>
    Either.isRight(record) && Option.isSome(record.right) ? [record.right.value] : []
  )
  const named = records.flatMap(({ phase, vm }): ReadonlyArray<VmId> =>
    phase === "running" && vm !== undefined ? [vm] : []
  )
  // What a damaged record names nobody knows, and a disk in use is not to be removed.
  if (read.some(({ record }) => Either.isLeft(record))) return []
  const swept: Array<SweptWorkspace> = [...yield* sweepWorkspaceVms(new Set(named))]
  const leftovers = read.flatMap(({ id, record }) => {
    const { directory } = folderOf(stateDir, id)
    const known = Either.getOrElse(record, () => Option.none<WorkspaceRecord>())
    return Option.isNone(known) || known.value.phase === "creating" || known.value.phase === "deleting"
      ? [{ kind: "workspace", what: directory }]
      : otherDisks(directory, known.value).map((what) => ({ kind: "disk", what }))
  })
  for (const { kind, what } of leftovers) {
    const freedBytes = bytesBeneath(what)
    yield* Effect.promise(() => fs.promises.rm(what, { recursive: true, force: true }))
    swept.push({ kind, what, freedBytes })
  }
  return swept
})

const otherDisks = (directory: string, { disk }: WorkspaceRecord) =>
  fs.readdirSync(directory)
    .filter((name) => /^disk-\d+$/.test(name) && name !== `disk-${disk}`)
    .map((name) => path.join(directory, name))
