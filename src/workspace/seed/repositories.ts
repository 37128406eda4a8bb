import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing } from "../../contract/errors.ts"
import { bytesBeneath } from "../../environment/temporary.ts"
import { withLock } from "../../system/lock.ts"
import { nowMs } from "../../system/time.ts"

/** Where fetched repositories are: each in a folder `….git`, beside it the lock file that its user holds. */
export const repositoriesOf = (cacheDir: string) => path.join(cacheDir, "repositories")

export const lockOf = (repository: string) => `${repository}.lock`

/** What is read is read within minutes of the fetch, without the lock. */
const inUseMs = 60 * 60_000

const repositoriesIn = (cacheDir: string) => {
  const parent = repositoriesOf(cacheDir)
  return (fs.existsSync(parent) ? fs.readdirSync(parent) : []).filter((name) => name.endsWith(".git"))
    .map((name) => path.join(parent, name))
}

/** Does it while nobody fetches into the repository; what is being fetched into is passed over. */
const whenFree = (repository: string, work: Effect.Effect<number>): Effect.Effect<number, HostToolMissing> =>
  withLock(lockOf(repository), { timeoutMs: 0 })(work).pipe(
    Effect.catchTag("LockTimeout", () => Effect.succeed(0))
  )

/**
 * Removes what a git that was killed left: half-received objects, and lock files that would stop every later fetch. To be done while
 * holding the repository's lock. Gives the bytes.
 */
export const clearRepository = (repository: string): number => {
  let freed = 0
  const remove = (file: string) => {
    freed += bytesBeneath(file)
    fs.rmSync(file, { recursive: true, force: true })
  }
  const look = (folder: string, isLeft: (name: string) => boolean, deep: boolean) => {
    for (const entry of fs.existsSync(folder) ? fs.readdirSync(folder, { withFileTypes: true }) : []) {
      const at = path.join(folder, entry.name)
      if (isLeft(entry.name)) remove(at)
      else if (deep && entry.isDirectory()) look(at, isLeft, deep)
    }
  }
  look(repository, (name) => name.endsWith(".lock"), false)
  look(path.join(repository, "refs"), (name) => name.endsWith(".lock"), true)
  look(path.join(repository, "objects"), (name) => name.startsWith("tmp_objdir-"), false)
  look(path.join(repository, "objects/pack"), (name) => name.startsWith("tmp_") || name.startsWith(".tmp-"), false)
  return freed
}

/** The same for all that are in the cache and that nobody fetches into. */
export const sweepRepositories = (cacheDir: string): Effect.Effect<number, HostToolMissing> =>
  Effect.map(
    Effect.forEach(repositoriesIn(cacheDir), (one) => whenFree(one, Effect.sync(() => clearRepository(one)))),
    (freed) => freed.reduce((sum, bytes) => sum + bytes, 0)
  )

/** Removes repositories least recently used first until the rest fits; those of the last hour stay. */
export const pruneRepositories = (
  cacheDir: string,
  options: { readonly keepBytes: number }
): Effect.Effect<{ readonly removed: ReadonlyArray<string>; readonly freedBytes: number }, HostToolMissing> =>
  Effect.gen(function*() {
    const newestFirst = repositoriesIn(cacheDir)
      .map((repository) => ({ repository, usedMs: fs.statSync(repository).mtimeMs, bytes: bytesBeneath(repository) }))
      .sort((one, other) => other.usedMs - one.usedMs)
    const inUseSinceMs = (yield* nowMs) - inUseMs
    let [kept, freedBytes] = [0, 0]
    for (const { bytes, repository, usedMs } of newestFirst) {
      if (usedMs > inUseSinceMs || kept + bytes <= options.keepBytes) kept += bytes
      // Its lock file stays: another holder of another file of that name would be no lock.
      else freedBytes += yield* whenFree(repository, remove(repository, bytes))
    }
    const gone = newestFirst.filter(({ repository }) => !fs.existsSync(repository))
    return { removed: gone.map(({ repository }) => path.basename(repository)), freedBytes }
  })

const remove = (repository: string, bytes: number) =>
  Effect.as(Effect.promise(() => fs.promises.rm(repository, { recursive: true, force: true })), bytes)
