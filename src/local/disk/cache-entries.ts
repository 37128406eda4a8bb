import { Effect } from "effect"
import type { CacheEntry } from "../../disk/cache-entry.ts"
import { SeedImages } from "../../disk/SeedImages.ts"
import { statFile } from "../../system/files/entries.ts"
import { removeTree } from "../../system/files/folders.ts"
import { toHostError } from "../../system/files/host-error.ts"
import { bytesBeneath } from "../../system/files/usage.ts"
import { Paths } from "../../system/Paths.ts"
import { templateEntries } from "../../vm/template/templates.ts"
import { repositoryEntries } from "../../workspace/seed/repositories.ts"

/** Downloads of builds of environments, as one entry. */
const packageEntries = (cacheDir: string) => {
  const folder = `${cacheDir}/packages`
  return Effect.map(
    Effect.mapError(statFile(folder), toHostError),
    (stat): ReadonlyArray<CacheEntry> =>
      stat === undefined ? [] : [{
        kind: "packages",
        name: "packages",
        bytes: bytesBeneath(folder),
        usedMs: stat.mtimeMs,
        remove: removeTree(folder)
      }]
  )
}

/**
 * Entries of the cache that an eviction may take. Environments and kernels stay: a host without a network could not make them again.
 */
export const cacheEntries = Effect.gen(function*() {
  const { cacheDir } = yield* Paths
  const seeds = yield* (yield* SeedImages).entries
  return [
    ...seeds,
    ...yield* templateEntries,
    ...yield* repositoryEntries(cacheDir),
    ...yield* packageEntries(cacheDir)
  ]
})
