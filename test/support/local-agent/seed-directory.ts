import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { ImageDamaged } from "../../../src/contract/errors/errors.ts"
import type { Seed } from "../../../src/lib/disk/workspace-disk.ts"
import { fileFailedAt } from "../../../src/lib/vm/model/failure.ts"
import { attempt } from "../../../src/system/files/failure.ts"
import { removeTree } from "../../../src/system/files/remove-tree.ts"
import { runTool } from "../../../src/system/processes/child.ts"
import { findProgram } from "../../../src/system/processes/host.ts"
import { copyFailed, type DirectoryError } from "./directories.ts"

/** Names the content of a seed image: pyro gives the image a time that depends on the content. */
const nameOf = (image: string) => {
  const { mtimeMs, size } = fs.statSync(image)
  return `${size}-${mtimeMs}`
}

/** Unpacks a seed image, which pyro wrote itself. */
const unpack = (image: string, to: string) =>
  Effect.mapError(runTool(findProgram("debugfs") ?? "debugfs", ["-R", `rdump / ${to}`, image]), copyFailed).pipe(
    Effect.filterOrFail(
      () => fs.existsSync(path.join(to, "workspace")),
      () => new ImageDamaged({ path: image, detail: "it cannot be unpacked" })
    )
  )

/** Directory of the cache with the content of a seed image. The image is unpacked once. */
export const seedDirectory = (cacheDir: string, { path: image }: Seed): Effect.Effect<string, DirectoryError> =>
  Effect.suspend(() => {
    const root = path.join(cacheDir, "local-seeds")
    const directory = path.join(root, nameOf(image))
    if (fs.existsSync(directory)) return Effect.succeed(directory)
    const prepared = path.join(root, `.${randomBytes(8).toString("hex")}`)
    const onDisk = (work: () => void) => Effect.mapError(attempt("write", root, work), fileFailedAt("disk", root))
    return onDisk(() => fs.mkdirSync(prepared, { recursive: true })).pipe(
      Effect.andThen(unpack(image, prepared)),
      Effect.andThen(onDisk(() => {
        // Two that unpack at once have the same.
        if (!fs.existsSync(directory)) fs.renameSync(prepared, directory)
      })),
      Effect.as(directory),
      Effect.ensuring(Effect.ignoreCause(removeTree(prepared)))
    )
  })
