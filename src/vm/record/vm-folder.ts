import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { NoSpace, VmFailed } from "../../contract/errors.ts"
import { fileFailedAt } from "../failure.ts"
import { makeOwnership, type Ownership } from "./ownership.ts"
import { newFolderName, type VmPaths, type VmRecord, writeRecord } from "./record.ts"

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
    yield* Effect.acquireRelease(makeFolder(paths, record), () => ownership.unlessLeft(removeFolder(paths)))
    return ownership
  })

const makeFolder = (paths: VmPaths, record: VmRecord) => {
  const folder = path.dirname(paths.directory)
  const fresh = path.join(folder, newFolderName(record.id))
  return Effect.gen(function*() {
    const prepared = { ...paths, record: path.join(fresh, path.basename(paths.record)) }
    yield* Effect.try(() => {
      fs.mkdirSync(fresh, { recursive: true, mode: 0o700 })
      fs.mkdirSync(path.join(fresh, path.basename(paths.images)), { mode: 0o755 })
      const run = path.join(fresh, path.basename(paths.run))
      fs.mkdirSync(run, { mode: 0o700 })
      if (record.uid !== process.getuid?.()) fs.chownSync(run, record.uid, record.uid)
    })
    yield* writeRecord(prepared, record)
    yield* Effect.try(() => fs.renameSync(fresh, paths.directory))
  }).pipe(
    Effect.mapError(({ cause }) => fileFailedAt("prepare", folder)(cause)),
    Effect.onError(() => Effect.sync(() => fs.rmSync(fresh, { recursive: true, force: true })))
  )
}

export const removeFolder = (paths: VmPaths) =>
  Effect.promise(() => fs.promises.rm(paths.directory, { recursive: true, force: true })).pipe(Effect.ignoreLogged)
