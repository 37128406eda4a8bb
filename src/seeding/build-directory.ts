import { Effect, type Scope } from "effect"
import * as path from "node:path"
import { StateDirectoryUnusable } from "../contract/errors/errors.ts"
import type { SeedFailed } from "../disk/SeedImages.ts"
import { toHostErrorOf } from "../system/files/host-error.ts"
import { Paths } from "../system/files/Paths.ts"
import { makeTemporary } from "../system/files/temporary.ts"
import { probeConfinement } from "../vm/confinement.ts"
import type { BuildDirectory, PrepareServices } from "./request.ts"

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
