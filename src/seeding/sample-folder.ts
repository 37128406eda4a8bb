import { Effect } from "effect"
import * as path from "node:path"
import { writeFile } from "../system/files/content.ts"
import { ensureFolder } from "../system/files/folders.ts"
import { toHostError } from "../system/files/host-error.ts"
import { makeBuildDirectory } from "./build-directory.ts"

/** A directory with one small file to seed from. Goes with the Scope. */
export const sampleFolder = Effect.gen(function*() {
  const { folder } = yield* makeBuildDirectory
  const sample = path.join(folder, "sample")
  yield* ensureFolder(sample)
  yield* writeFile(path.join(sample, "README"), "A sample.\n")
  return sample
}).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))
