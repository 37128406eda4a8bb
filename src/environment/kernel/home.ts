import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { lazy } from "../../contract/rows/operation.ts"
import { byName, named } from "../../contract/text/names.ts"
import { readJson, recall, writeJsonAtomic } from "../../system/files/atomic-file.ts"
import { CheckedFile, checkFile, describeFile } from "../../system/files/checked-file.ts"
import { renameFile } from "../../system/files/entries.ts"
import { makeFolder, removeTree } from "../../system/files/folders.ts"
import { makeTemporary } from "../../system/files/temporary.ts"
import { sha256Text } from "../image/digest.ts"
import { mapBuildFailure } from "../image/failures.ts"
import type { OnProgress } from "../image/progress.ts"
import { recipeDigest, recipeFolder } from "../image/recipe.ts"
import { needSpace } from "../image/space.ts"
import { fetchKernelPackage } from "./fetch.ts"
import { kernelFiles, unpackKernel } from "./unpack.ts"

/** A kernel in the cache, whole. */
export interface KernelHome {
  /** Digest of the kernel's pieces, the name of its folder. */
  readonly digest: string
  readonly folder: string
  /** Release of the kernel, as `uname -r` prints it in the guest. */
  readonly version: string
}

const Manifest = Schema.Struct({
  format: Schema.Literal(2),
  version: Schema.String,
  /** Source package in Debian. */
  package: Schema.String,
  recipe: Schema.String,
  files: byName(CheckedFile)
})
type Manifest = typeof Manifest.Type

/** Room for the package, its unpacked tree and the pieces, in MiB (measured: 26 + 110 + 150). */
const neededMib = 400

/** Says a failure of a step with the guest kernel. */
export const mapKernelFailure = (root: string, step: string) =>
  mapBuildFailure({ environment: "the guest kernel", step, folder: root, neededMib })

const currentFile = (root: string) => path.join(root, "current.json")

/** The current kernel if it is whole. Damage and another recipe count as absence: pyro makes the kernel again. */
export const findKernel = (root: string): Effect.Effect<Option.Option<KernelHome>> =>
  Effect.gen(function*() {
    const digest = Option.getOrUndefined(yield* recall(currentFile(root), readJson(currentFile(root), Schema.String)))
    if (digest === undefined) return Option.none<KernelHome>()
    const folder = path.join(root, digest)
    const manifestFile = path.join(folder, "manifest.json")
    const manifest = Option.getOrUndefined(yield* recall(manifestFile, readJson(manifestFile, Manifest)))
    if (manifest === undefined || manifest.recipe !== recipe()) return Option.none<KernelHome>()
    for (const name of kernelFiles) {
      const known = manifest.files[name]
      if (known === undefined) return Option.none<KernelHome>()
      yield* checkFile(path.join(folder, name), known, { thorough: false })
    }
    return Option.some({ digest, folder, version: manifest.version })
  }).pipe(Effect.catchTags({
    ImageDamaged: (error) =>
      Effect.as(Effect.logWarning(`the guest kernel is made anew: ${error.message}`), Option.none<KernelHome>()),
    // Cut short, or written by another version of pyro.
    FileFailed: ({ path }) => Effect.as(Effect.logDebug(`${path} is of no use`), Option.none<KernelHome>())
  }))

/** Every start of a VM asks. */
const recipe = lazy(() => recipeDigest(recipeFolder("kernel"), []))

/** Fetches and unpacks the kernel and makes it the current one. One process at a time calls this. */
export const buildKernel = (root: string, temporaries: string, onProgress: OnProgress) =>
  Effect.scoped(Effect.gen(function*() {
    yield* needSpace(root, neededMib)
    const work = yield* makeTemporary(temporaries, "kernel")
    onProgress({ step: "fetching the kernel", fraction: 0 })
    const deb = yield* mapKernelFailure(root, "fetch")(
      fetchKernelPackage({ work, keep: path.join(root, "package") })
    )
    onProgress({ step: "unpacking the kernel", fraction: 0.5 })
    const made = path.join(work.path, "kernel")
    yield* makeFolder(made)
    const version = yield* mapKernelFailure(root, "unpack")(unpackKernel(deb, made, work.alive))
    const files = named<CheckedFile>([])
    for (const name of kernelFiles) files[name] = yield* describeFile(path.join(made, name))
    const manifest: Manifest = { format: 2, version, package: path.basename(deb), recipe: recipe(), files }
    yield* writeJsonAtomic(path.join(made, "manifest.json"), Manifest, manifest, { durable: true })
    const digest = sha256Text(kernelFiles.map((name) => files[name]?.sha256 ?? "").join("\n"))
    const folder = path.join(root, digest)
    // Removes a damaged folder of the same digest. Processes keep its open files.
    yield* removeTree(folder)
    yield* renameFile(made, folder)
    yield* writeJsonAtomic(currentFile(root), Schema.String, digest, { durable: true })
    onProgress({ step: "unpacking the kernel", fraction: 1 })
    return { digest, folder, version } satisfies KernelHome
  }))
