import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { EnvironmentBuildFailed } from "../../../contract/errors/errors.ts"
import { lazy } from "../../../contract/rows/operation.ts"
import { byName, named } from "../../../contract/text/names.ts"
import { readJson, recall, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { CheckedFile, checkFile, describeFile, sha256Text } from "../../../system/files/digest.ts"
import { ensureFolder, makeFolder, renameFile } from "../../../system/files/entries.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { makeTemporary, type Temporary } from "../../../system/files/temporary.ts"
import { debianSources, privateApt } from "../model/debian-sources.ts"
import { mapBuildFailure } from "../model/failures.ts"
import { needSpace } from "../model/host-tools.ts"
import type { OnProgress } from "../model/progress.ts"
import { recipeDigest, recipeFolder } from "../model/rootfs.ts"
import { kernelFiles, unpackKernel } from "./unpack.ts"

/** A complete kernel in the cache. */
interface KernelHome {
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

/** Reports a failure of a step with the guest kernel. */
export const mapKernelFailure = (root: string, step: string) =>
  mapBuildFailure({ environment: "the guest kernel", step, folder: root, neededMib })

const currentFile = (root: string) => path.join(root, "current.json")

/** The current kernel if it is complete. Damage and another recipe count as absence: pyro makes the kernel again. */
export const findKernel = (root: string): Effect.Effect<Option.Option<KernelHome>> =>
  Effect.gen(function*() {
    const digest = Option.getOrUndefined(yield* recall(currentFile(root), readJson(currentFile(root), Schema.String)))
    if (digest === undefined) return Option.none<KernelHome>()
    const folder = path.join(root, digest)
    const manifestFile = path.join(folder, "manifest.json")
    const manifest = Option.getOrUndefined(yield* recall(manifestFile, readJson(manifestFile, Manifest)))
    if (manifest === undefined || manifest.recipe !== recipe()) return Option.none<KernelHome>()
    const files = named<CheckedFile>([])
    for (const name of kernelFiles) {
      const known = manifest.files[name]
      if (known === undefined) return Option.none<KernelHome>()
      files[name] = yield* checkFile(path.join(folder, name), known, { thorough: false })
    }
    // A copied cache has new times and inodes. The content is verified now, so the next VM need not wait for it.
    if (kernelFiles.some((name) => files[name] !== manifest.files[name])) {
      yield* Effect.ignore(writeJsonAtomic(manifestFile, Manifest, { ...manifest, files }))
    }
    return Option.some({ digest, folder, version: manifest.version })
  }).pipe(Effect.catchTags({
    ImageDamaged: (error) =>
      Effect.as(Effect.logWarning(`the guest kernel is made anew: ${error.message}`), Option.none<KernelHome>()),
    // The file is cut short, or another version of pyro wrote it.
    FileFailed: ({ path }) => Effect.as(Effect.logDebug(`${path} is of no use`), Option.none<KernelHome>())
  }))

/** Cached, because every start of a VM needs it. */
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

/** Debian release and package of the guest kernel, the same for every environment. */
const release = "bookworm"
const metaPackage = "linux-image-cloud-amd64"

const Kept = Schema.Struct({ name: Schema.String, file: CheckedFile })

/**
 * The kernel's package file. A file fetched earlier is used again if its content still matches the hash that apt verified, so a
 * damaged kernel is repaired without the network. Otherwise apt downloads the newest package and verifies it against Debian's keys.
 */
const fetchKernelPackage = (options: { readonly work: Temporary; readonly keep: string }) =>
  Effect.gen(function*() {
    const recordFile = path.join(options.keep, "package.json")
    const kept = Option.getOrUndefined(yield* Effect.orElseSucceed(readJson(recordFile, Kept), () => Option.none()))
    if (kept !== undefined) {
      const deb = path.join(options.keep, kept.name)
      const whole = yield* Effect.option(checkFile(deb, kept.file, { thorough: true }))
      if (Option.isSome(whole)) return deb
    }
    const apt = yield* privateApt({ ...options.work, sources: yield* debianSources(release) })
    yield* apt.update
    const name = yield* apt.dependencyOf(metaPackage)
    if (name === undefined) return yield* absent(`the mirror of ${release} has no package ${metaPackage}`)
    const file = yield* apt.download(name)
    if (file === undefined) return yield* absent(`apt downloaded nothing for ${name}`)
    const deb = path.join(options.keep, file)
    yield* removeTree(options.keep)
    yield* ensureFolder(options.keep)
    yield* renameFile(path.join(options.work.path, file), deb)
    yield* writeJsonAtomic(recordFile, Kept, { name: file, file: yield* describeFile(deb) })
    return deb
  })

const absent = (detail: string) =>
  new EnvironmentBuildFailed({ environment: "the guest kernel", step: "fetch", detail })
