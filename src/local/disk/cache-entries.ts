import { Effect } from "effect"
import { SeedImages } from "../../disk/SeedImages.ts"
import { repositoryEntries } from "../../seeding/cache.ts"
import type { CacheEntry } from "../../system/files/cache-entry.ts"
import { removeFile, statFile } from "../../system/files/entries.ts"
import { namesIn, removeTree } from "../../system/files/folders.ts"
import { toHostError } from "../../system/files/host-error.ts"
import { Paths } from "../../system/files/Paths.ts"
import { bytesBeneath } from "../../system/files/usage.ts"
import { templateEntries } from "../../vm/templates.ts"
import { downloadsFolder } from "../../workspace/residents/package-cache/package-cache.ts"

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

/** Files of the package cache. Each has the time of its last use. */
const downloadEntries = (cacheDir: string) => {
  const folder = downloadsFolder(cacheDir)
  const files = namesIn(folder).filter((name) => /^[0-9a-f]{2}$/.test(name)).flatMap((name) =>
    namesIn(`${folder}/${name}`).map((file) => ({ file, path: `${folder}/${name}/${file}` }))
  )
  return Effect.forEach(files, ({ file, path }) =>
    Effect.map(
      Effect.mapError(statFile(path), toHostError),
      (stat): ReadonlyArray<CacheEntry> =>
        stat === undefined ? [] : [{
          kind: "download",
          name: file.slice(0, 12),
          bytes: bytesBeneath(path),
          usedMs: stat.mtimeMs,
          remove: removeFile(path)
        }]
    )).pipe(Effect.map((all) => all.flat()))
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
    ...yield* packageEntries(cacheDir),
    ...yield* downloadEntries(cacheDir)
  ]
})
