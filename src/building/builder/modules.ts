import { Effect } from "effect"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { imageProgram } from "../../lib/environment/model/image-builder.ts"
import { syncContent } from "../../system/files/atomic-file.ts"
import { sha256Hex } from "../../system/files/digest.ts"
import { ensureFolder, exists, namesIn, removeFile, renameFile } from "../../system/files/entries.ts"
import { withLock } from "../../system/files/lock.ts"
import { Paths } from "../../system/files/Paths.ts"
import { acquireBuilder, ensureBuilder } from "./acquire.ts"
import type { Building } from "./files.ts"
import { imageDisk, RESULT_DEVICE, takeImage } from "./result.ts"
import { runRecipe } from "./run-recipe.ts"

/** Longer than a builder needs for it, also on a busy host without KVM. */
const WAIT_MS = 5 * 60_000

/**
 * A file system with the modules of the guests' kernel alone, with which images begin. A builder without a network makes it once, and sees
 * nothing of an image: a hostile image cannot change what another one begins with.
 */
export const modulesFile = (pyro: PyroService, { onProgress, reference }: Pick<Building, "onProgress" | "reference">) =>
  Effect.gen(function*() {
    const { digest } = yield* ensureBuilder(onProgress)
    const request = { architecture: "amd64", modules: true, result: { device: RESULT_DEVICE, hasModules: false } }
    const program = yield* imageProgram
    const folder = `${(yield* Paths).cacheDir}/environments/modules`
    const name = `${sha256Hex(Buffer.concat([Buffer.from(digest), program]))}.erofs`
    const file = `${folder}/${name}`
    if (exists(file)) return file
    yield* ensureFolder(folder)
    const make = Effect.scoped(Effect.gen(function*() {
      const result = yield* imageDisk()
      const { sizeBytes } = yield* Effect.scoped(Effect.gen(function*() {
        const workspace = yield* acquireBuilder(pyro, { reference, allowHosts: [], onProgress, result })
        return yield* runRecipe(pyro, workspace, { request, reference, onProgress, last: "Began" })
      }))
      const made = `${file}.new`
      yield* removeFile(made)
      yield* takeImage(result, sizeBytes, { file: made, reference })
      yield* syncContent(made)
      yield* renameFile(made, file)
      // Those of other builders.
      yield* Effect.forEach(
        namesIn(folder).filter((one) => one.endsWith(".erofs") && one !== name),
        (one) => removeFile(`${folder}/${one}`)
      )
    }))
    yield* withLock(`${folder}/lock`, { timeoutMs: WAIT_MS })(
      Effect.suspend(() => exists(file) ? Effect.void : make)
    )
    return file
  })
