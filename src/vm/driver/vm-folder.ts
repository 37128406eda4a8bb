import { Effect, type Scope } from "effect"
import * as path from "node:path"
import type { NoSpace, VmFailed } from "../../contract/errors/errors.ts"
import { renameFile, setOwner } from "../../system/files/entries.ts"
import { ensureFolder, makeFolder, removeTree } from "../../system/files/folders.ts"
import { newFolderName, type VmPaths, type VmRecord, writeRecord } from "../record.ts"
import { fileFailedAt } from "./failure.ts"
import { makeOwnership, type Ownership } from "./ownership.ts"

/**
 * The VM's folder with its record, and with it the charge of the VM: the folder appears under its name with both, or not at all,
 * and goes with the Scope.
 */
export const acquireFolder = (
  paths: VmPaths,
  record: VmRecord
): Effect.Effect<Ownership, VmFailed | NoSpace, Scope.Scope> =>
  Effect.gen(function*() {
    const ownership = yield* makeOwnership(paths, record)
    yield* Effect.acquireRelease(prepareFolder(paths, record), () => ownership.unlessLeft(removeFolder(paths)))
    return ownership
  })

const prepareFolder = (paths: VmPaths, record: VmRecord) => {
  const folder = path.dirname(paths.directory)
  const fresh = path.join(folder, newFolderName(record.id))
  return Effect.gen(function*() {
    const prepared = { ...paths, record: path.join(fresh, path.basename(paths.record)) }
    yield* ensureFolder(fresh)
    yield* makeFolder(path.join(fresh, path.basename(paths.images)), 0o755)
    const run = path.join(fresh, path.basename(paths.run))
    yield* makeFolder(run)
    if (record.uid !== process.getuid?.()) yield* setOwner(run, record.uid)
    yield* writeRecord(prepared, record)
    yield* renameFile(fresh, paths.directory)
  }).pipe(
    Effect.mapError(fileFailedAt("prepare", folder)),
    Effect.onError(() => Effect.ignoreCause(removeTree(fresh)))
  )
}

export const removeFolder = (paths: VmPaths) => Effect.ignoreCause(removeTree(paths.directory))
