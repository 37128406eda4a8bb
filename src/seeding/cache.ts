import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { type HostToolMissing, type NoSpace, StateDirectoryUnusable } from "../contract/errors/errors.ts"
import type { SeedFailed } from "../disk/SeedImages.ts"
import type { CacheEntry } from "../system/files/cache-entry.ts"
import { writeFile } from "../system/files/content.ts"
import { exists, statFile } from "../system/files/entries.ts"
import type { FileFailed } from "../system/files/failure.ts"
import { ensureFolder, listIfPresent, removeTree } from "../system/files/folders.ts"
import { toHostError, toHostErrorOf } from "../system/files/host-error.ts"
import { isDirectory } from "../system/files/host-path.ts"
import { withLock } from "../system/files/lock.ts"
import { Paths } from "../system/files/Paths.ts"
import { makeTemporary } from "../system/files/temporary.ts"
import { bytesBeneath } from "../system/files/usage.ts"
import { nowMs } from "../system/waits/time.ts"
import { probeConfinement } from "../vm/confinement.ts"
import type { BuildDirectory, PrepareServices } from "./request.ts"

/** Folder of fetched repositories: each in `….git`, beside the lock file that its user holds. */
export const repositoriesOf = (cacheDir: string) => path.join(cacheDir, "repositories")

export const lockOf = (repository: string) => `${repository}.lock`

/** Readers without the lock finish within minutes of the fetch. */
const inUseMs = 60 * 60_000

const repositoriesIn = (cacheDir: string) => {
  const parent = repositoriesOf(cacheDir)
  return Effect.map(
    listIfPresent(parent),
    (names) => names.filter((name) => name.endsWith(".git")).map((name) => path.join(parent, name))
  )
}

/** Does the work while no process fetches into the repository. Skips a repository in use. */
const whenFree = (repository: string, work: Effect.Effect<number, FileFailed>) =>
  withLock(lockOf(repository), { timeoutMs: 0 })(work).pipe(
    Effect.catchTag("LockTimeout", () => Effect.succeed(0))
  )

/**
 * Removes leftovers of a killed git: half-received objects, and lock files that would stop every later fetch. The caller holds the
 * repository's lock. Gives the bytes.
 */
export const clearRepository = (repository: string): Effect.Effect<number, FileFailed> =>
  Effect.gen(function*() {
    let freed = 0
    const look = (folder: string, isLeft: (name: string) => boolean, deep: boolean): Effect.Effect<void, FileFailed> =>
      Effect.flatMap(
        listIfPresent(folder),
        Effect.forEach((name) => {
          const at = path.join(folder, name)
          if (!isLeft(name)) return deep && isDirectory(at) ? look(at, isLeft, deep) : Effect.void
          freed += bytesBeneath(at)
          return removeTree(at)
        }, { discard: true })
      )
    yield* look(repository, (name) => name.endsWith(".lock"), false)
    yield* look(path.join(repository, "refs"), (name) => name.endsWith(".lock"), true)
    yield* look(path.join(repository, "objects"), (name) => name.startsWith("tmp_objdir-"), false)
    yield* look(
      path.join(repository, "objects/pack"),
      (name) => name.startsWith("tmp_") || name.startsWith(".tmp-"),
      false
    )
    return freed
  })

/** Errors of listing or removing repositories. */
type RepositoriesFailed = HostToolMissing | NoSpace | StateDirectoryUnusable

/** The same for all repositories of the cache that no process fetches into. */
export const sweepRepositories = (cacheDir: string): Effect.Effect<number, RepositoriesFailed> =>
  repositoriesIn(cacheDir).pipe(
    Effect.flatMap(Effect.forEach((one) => whenFree(one, clearRepository(one)))),
    Effect.map((freed) => freed.reduce((sum, bytes) => sum + bytes, 0)),
    Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure)))
  )

/** All repositories of the cache, for an eviction. */
export const repositoryEntries = (
  cacheDir: string
): Effect.Effect<ReadonlyArray<CacheEntry>, RepositoriesFailed> =>
  Effect.flatMap(
    repositoriesIn(cacheDir),
    (all) =>
      Effect.forEach(all, (repository) =>
        Effect.map(statFile(repository), (stat): CacheEntry => ({
          kind: "repository",
          name: path.basename(repository),
          bytes: bytesBeneath(repository),
          usedMs: stat?.mtimeMs ?? 0,
          remove: whenFree(repository, Effect.as(removeTree(repository), 0)).pipe(
            // Without its tool, the lock cannot be taken, and the repository stays.
            Effect.catchTag("HostToolMissing", () => Effect.void)
          )
        })))
  ).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))

/** Removes the least recently used repositories until the rest fits. Those of the last hour stay. */
export const pruneRepositories = (
  cacheDir: string,
  options: { readonly keepBytes: number }
): Effect.Effect<{ readonly removed: ReadonlyArray<string>; readonly freedBytes: number }, RepositoriesFailed> =>
  Effect.gen(function*() {
    const found = yield* Effect.forEach(
      yield* repositoriesIn(cacheDir),
      (repository) =>
        Effect.map(statFile(repository), (stat) => ({
          repository,
          usedMs: stat?.mtimeMs ?? 0,
          bytes: bytesBeneath(repository)
        }))
    )
    const newestFirst = found.sort((one, other) => other.usedMs - one.usedMs)
    const inUseSinceMs = (yield* nowMs) - inUseMs
    let [kept, freedBytes] = [0, 0]
    for (const { bytes, repository, usedMs } of newestFirst) {
      if (usedMs > inUseSinceMs || kept + bytes <= options.keepBytes) kept += bytes
      // Its lock file stays: another holder of another file of that name would be no lock.
      else freedBytes += yield* whenFree(repository, Effect.as(removeTree(repository), bytes))
    }
    const gone = newestFirst.filter(({ repository }) => !exists(repository))
    return { removed: gone.map(({ repository }) => path.basename(repository)), freedBytes }
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))

/** Folder of intermediate files of a seed image, swept like all temporaries of its kind. */
export const temporariesOf = (cacheDir: string) => path.join(cacheDir, "seeds", "temporary")

/** A folder for one seed, and whether namespaces can confine git. */
export const makeBuildDirectory: Effect.Effect<
  BuildDirectory,
  SeedFailed,
  PrepareServices | Scope.Scope
> = Effect.gen(function*() {
  const { cacheDir } = yield* Paths
  const parent = temporariesOf(cacheDir)
  const { path: folder } = yield* makeTemporary(parent, "seed").pipe(
    Effect.catchTags({
      FileFailed: (failure) => Effect.fail(toHostErrorOf(parent)(failure)),
      LockTimeout: (failure) => new StateDirectoryUnusable({ path: parent, detail: failure.message })
    })
  )
  const { level } = yield* probeConfinement
  return { folder, namespaces: level !== "seccomp" }
})

/** A directory with one small file to seed from. Goes with the Scope. */
export const sampleFolder = Effect.gen(function*() {
  const { folder } = yield* makeBuildDirectory
  const sample = path.join(folder, "sample")
  yield* ensureFolder(sample)
  yield* writeFile(path.join(sample, "README"), "A sample.\n")
  return sample
}).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))
