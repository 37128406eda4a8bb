import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { type HostToolMissing, type NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { writeFile } from "../../../system/files/content.ts"
import { ensureFolder, exists, listIfPresent, statFile } from "../../../system/files/entries.ts"
import { FileFailed, toHostError, toHostErrorOf } from "../../../system/files/failure.ts"
import { isDirectory } from "../../../system/files/host-path.ts"
import { withLock } from "../../../system/files/lock.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { makeTemporary } from "../../../system/files/temporary.ts"
import { bytesBeneath, type CacheEntry } from "../../../system/files/usage.ts"
import { nowMs } from "../../../system/waits/time.ts"
import type { SeedFailed } from "../../disk/SeedImages.ts"
import { probeConfinement } from "../../vm/model/confinement.ts"
import type { PrepareServices } from "./request.ts"
import type { BuildDirectory } from "./source.ts"

/** Folder of fetched repositories. Each is a folder `….git`, with a lock file of its name beside it. */
export const repositoriesOf = (cacheDir: string) => path.join(cacheDir, "repositories")

export const lockOf = (repository: string) => `${repository}.lock`

/** Some readers have no lock. They finish within minutes of the fetch. */
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
    const clear = (folder: string, isLeft: (name: string) => boolean, deep: boolean): Effect.Effect<void, FileFailed> =>
      Effect.flatMap(
        listIfPresent(folder),
        Effect.forEach((name) => {
          const at = path.join(folder, name)
          if (!isLeft(name)) return deep && isDirectory(at) ? clear(at, isLeft, deep) : Effect.void
          freed += bytesBeneath(at)
          return removeTree(at)
        }, { discard: true })
      )
    yield* clear(repository, (name) => name.endsWith(".lock"), false)
    yield* clear(path.join(repository, "refs"), (name) => name.endsWith(".lock"), true)
    yield* clear(path.join(repository, "objects"), (name) => name.startsWith("tmp_objdir-"), false)
    yield* clear(
      path.join(repository, "objects/pack"),
      (name) => name.startsWith("tmp_") || name.startsWith(".tmp-"),
      false
    )
    return freed
  })

/** Errors of listing or removing repositories. */
type RepositoriesFailed = HostToolMissing | NoSpace | StateDirectoryUnusable

const hostErrors = <A, E>(effect: Effect.Effect<A, E | FileFailed>) =>
  Effect.catchIf(
    effect,
    (failure): failure is FileFailed => failure instanceof FileFailed,
    (failure) => Effect.fail(toHostError(failure))
  )

/** Clears all repositories of the cache that no process fetches into. Gives the bytes. */
export const sweepRepositories = (cacheDir: string): Effect.Effect<number, RepositoriesFailed> =>
  repositoriesIn(cacheDir).pipe(
    Effect.flatMap(Effect.forEach((one) => whenFree(one, clearRepository(one)))),
    Effect.map((freed) => freed.reduce((sum, bytes) => sum + bytes, 0)),
    hostErrors
  )

/** The repositories of the cache with their size and last use. `remove` gives the freed bytes, 0 for a repository in use. */
const measured = (cacheDir: string) =>
  Effect.flatMap(
    repositoriesIn(cacheDir),
    Effect.forEach((repository) =>
      Effect.map(statFile(repository), (stat) => {
        const bytes = bytesBeneath(repository)
        const remove = whenFree(repository, Effect.as(removeTree(repository), bytes))
        return { name: path.basename(repository), repository, bytes, usedMs: stat?.mtimeMs ?? 0, remove }
      })
    )
  )

/** All repositories of the cache, for an eviction. */
export const repositoryEntries = (cacheDir: string): Effect.Effect<ReadonlyArray<CacheEntry>, RepositoriesFailed> =>
  Effect.map(measured(cacheDir), (all) =>
    all.map(({ bytes, name, remove, usedMs }): CacheEntry => ({
      kind: "repository",
      name,
      bytes,
      usedMs,
      // Without the tool for locks, the repository stays.
      remove: Effect.catchTag(Effect.asVoid(remove), "HostToolMissing", () => Effect.void)
    }))).pipe(hostErrors)

/** Removes the least recently used repositories until the rest fits. Those of the last hour stay. */
export const pruneRepositories = (
  cacheDir: string,
  options: { readonly keepBytes: number }
): Effect.Effect<{ readonly removed: ReadonlyArray<string>; readonly freedBytes: number }, RepositoriesFailed> =>
  Effect.gen(function*() {
    const newestFirst = (yield* measured(cacheDir)).sort((one, other) => other.usedMs - one.usedMs)
    const inUseSinceMs = (yield* nowMs) - inUseMs
    let [kept, freedBytes] = [0, 0]
    for (const { bytes, remove, usedMs } of newestFirst) {
      if (usedMs > inUseSinceMs || kept + bytes <= options.keepBytes) kept += bytes
      // The lock file stays: a process may hold it, and a new file of this name would be another lock.
      else freedBytes += yield* remove
    }
    const gone = newestFirst.filter(({ repository }) => !exists(repository))
    return { removed: gone.map(({ name }) => name), freedBytes }
  }).pipe(hostErrors)

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

/** A directory with one small file, as the source of a seed. The end of the Scope removes it. */
export const sampleFolder = Effect.gen(function*() {
  const { folder } = yield* makeBuildDirectory
  const sample = path.join(folder, "sample")
  yield* ensureFolder(sample)
  yield* writeFile(path.join(sample, "README"), "A sample.\n")
  return sample
}).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))
