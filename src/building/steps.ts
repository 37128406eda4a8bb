import { Effect } from "effect"
import { referenceFile } from "../lib/recipe/image-source.ts"
import { ensureFolder, exists, namesIn, removeFile, renameFile, setTimes, statFile } from "../system/files/entries.ts"
import { toHostError } from "../system/files/failure.ts"
import { Paths } from "../system/files/Paths.ts"
import { bytesOnDisk, type CacheEntry } from "../system/files/usage.ts"
import { setting } from "../system/settings/config.ts"
import { nowMs } from "../system/waits/time.ts"

// The steps of a Dockerfile's builds: the builder's store of images, as one file that the host never reads. Programs of the Dockerfile wrote
// into it, so it goes to builders of the same environment alone.

const mib = 1024 * 1024

const folderOf = (cacheDir: string) => `${cacheDir}/steps`
const ENDING = ".steps"

/** Where the steps of an environment's builds are kept. */
const stepsFile = (environment: string) =>
  Effect.map(Paths, ({ cacheDir }) => `${folderOf(cacheDir)}/${referenceFile(environment)}${ENDING}`)

const limitBytes = Effect.map(setting("PYRO_BUILD_CACHE_MIB"), (limit) => limit * mib)

/** Maximum size of the steps of one environment in bytes. 0: no step is kept. */
export const mostStepsBytes = Effect.map(limitBytes, (bytes) => bytes / 4)

/** The kept steps of an environment, which are used now. */
export const keptSteps = (environment: string) =>
  Effect.gen(function*() {
    const file = yield* stepsFile(environment)
    if (!exists(file) || (yield* limitBytes) === 0) return undefined
    yield* setTimes(file, (yield* nowMs) / 1000)
    return file
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))

export const stepEntries = Effect.gen(function*() {
  const folder = folderOf((yield* Paths).cacheDir)
  const all = yield* Effect.forEach(namesIn(folder), (name) => {
    const file = `${folder}/${name}`
    return Effect.map(
      Effect.mapError(statFile(file), toHostError),
      (stat): ReadonlyArray<CacheEntry> =>
        stat === undefined
          ? []
          : [{
            kind: "steps",
            name: name.slice(0, -ENDING.length),
            bytes: bytesOnDisk(file),
            usedMs: stat.mtimeMs,
            remove: removeFile(file)
          }]
    )
  })
  return all.flat()
})

/** Keeps a whole file as the steps of an environment, and evicts those of the least recently built ones above the limit. */
export const keepSteps = (environment: string, made: string) =>
  Effect.gen(function*() {
    const file = yield* stepsFile(environment)
    yield* ensureFolder(folderOf((yield* Paths).cacheDir))
    yield* renameFile(made, file)
    const newestFirst = [...yield* stepEntries].sort((one, other) => other.usedMs - one.usedMs)
    let left = yield* limitBytes
    for (const { bytes, remove } of newestFirst) {
      left -= bytes
      if (left < 0) yield* remove
    }
  })

/** Forgets the steps of environments. */
export const forgetSteps = (environments: ReadonlyArray<string>) =>
  Effect.forEach(environments, (one) => Effect.flatMap(stepsFile(one), removeFile), { discard: true }).pipe(
    Effect.mapError(toHostError)
  )
