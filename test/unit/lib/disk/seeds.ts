import { Effect, Layer } from "effect"
import { SeedImages } from "../../../../src/lib/disk/SeedImages.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"

/** The seed image service over a cache directory of the test's own. */
export const seedsIn = (cacheDir: string) =>
  SeedImages.layer.pipe(Layer.provide(Layer.succeed(Paths, { cacheDir, stateDir: cacheDir, memoryDir: cacheDir })))

/** Runs an effect against the seed images of a cache directory. */
export const withSeeds = <A, E>(cacheDir: string, effect: Effect.Effect<A, E, SeedImages>) =>
  Effect.provide(effect, seedsIn(cacheDir))
