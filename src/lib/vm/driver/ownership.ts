import { Effect, Ref, type Scope, Semaphore } from "effect"
import * as path from "node:path"
import type { NoSpace, VmFailed } from "../../../contract/errors/errors.ts"
import { ensureFolder, makeFolder, renameFile, setOwner } from "../../../system/files/entries.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { fileFailedAt } from "../model/failure.ts"
import { newFolderName, nobody, type VmPaths, type VmRecord, writeRecord } from "../model/record.ts"

/** This process owns one VM: this process alone writes the record, and the Scope ends the VM unless the owner has left it. */
export interface Ownership {
  readonly paths: VmPaths
  readonly record: Effect.Effect<VmRecord>
  /** Changes the record; on disk when the effect has ended. */
  readonly update: (change: (record: VmRecord) => VmRecord) => Effect.Effect<void, VmFailed | NoSpace>
  /**
   * The end of the Scope no longer ends the VM: the next process that attaches owns it. If the record cannot be written, the next process
   * attaches once this one has ended.
   */
  readonly leave: Effect.Effect<void, VmFailed | NoSpace>
  /** Runs a release unless the VM was left. */
  readonly unlessLeft: (release: Effect.Effect<void>) => Effect.Effect<void>
}

/** Makes this process the owner of a VM. The record `initial` is on disk, or the caller is about to write it. */
export const makeOwnership = (paths: VmPaths, initial: VmRecord): Effect.Effect<Ownership> =>
  Effect.gen(function*() {
    const record = yield* Ref.make(initial)
    const left = yield* Ref.make(false)
    const one = yield* Semaphore.make(1)
    const update: Ownership["update"] = (change) =>
      Effect.gen(function*() {
        const changed = change(yield* Ref.get(record))
        yield* Effect.mapError(writeRecord(paths, changed), fileFailedAt("record", paths.directory))
        yield* Ref.set(record, changed)
      }).pipe(one.withPermits(1), Effect.uninterruptible)
    return {
      paths,
      record: Ref.get(record),
      update,
      leave: Effect.ensuring(update((now) => ({ ...now, owner: nobody() })), Ref.set(left, true)),
      unlessLeft: (release) => Effect.flatMap(Ref.get(left), (gone) => gone ? Effect.void : release)
    }
  })

/**
 * Makes the VM's folder with its record, and gives the ownership of the VM. The folder appears under its name with the record or not at
 * all, and the Scope removes it.
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
