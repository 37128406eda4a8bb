import { Effect, Fiber, Option } from "effect"
import * as path from "node:path"
import { EnvironmentBuildFailed } from "../../../contract/errors/errors.ts"
import { call, words } from "../../../contract/errors/next-step.ts"
import { isImageName } from "../../../contract/text/image-archive.ts"
import { makeTemporary, sweepTemporaries } from "../../../system/files/temporary.ts"
import { type CatalogueEntry, recipeOf } from "../model/catalogue.ts"
import type { BuildTrouble } from "../model/failures.ts"
import type { GuestKernels } from "../model/kernel.ts"
import { type OnProgress, silent, within } from "../model/progress.ts"
import { addPackages, buildImage } from "./build.ts"
import { type Environment, type EnvironmentError, environmentOf, isKept, type PullOptions } from "./environment.ts"
import { buildNpmImage } from "./npm.ts"
import { parsePackages, type StoredImage } from "./store.ts"
import type { ImageStores } from "./stores.ts"

/** Nobody knows what a workspace left in its root. */
const mayHaveNode = ({ own }: CatalogueEntry, packages: ReadonlyArray<{ readonly name: string }>) =>
  own?.workspace !== undefined || packages.some(({ name }) => name === "nodejs")

type BuildFailure = EnvironmentError | BuildTrouble

/** Gets an image from its store, or builds and stores it. */
export const makeObtain = (
  { downloads, locked, prepare, mapFailure, store, storeOf }: ImageStores,
  kernel: GuestKernels
) => {
  /** Adds Debian packages or npm packages to the image of another environment. The kernel stays the other's. */
  const addOver = (entry: CatalogueEntry, over: CatalogueEntry, onProgress: OnProgress) =>
    Effect.scoped(Effect.gen(function*() {
      const base = yield* obtain(over, within(onProgress, 0, 0.6), false, () => true)
      const work = yield* makeTemporary(store.temporaries, entry.name)
      const { kernel, kernelVersion, ...before } = yield* storeOf(over).wholeManifest(base.digest)
      const build = { entry, base: base.imagePath, work, onProgress: within(onProgress, 0.6, 0.98) }
      const added = (entry.own?.npm ?? []).length > 0
        ? {
          image: yield* buildNpmImage({ ...build, hasNode: mayHaveNode(over, before.packages) }),
          sources: before.sources,
          packages: before.packages
        }
        : yield* Effect.map(
          addPackages({ ...build, packages: path.join(downloads, entry.codename) }),
          ({ image, packageList, sources }) => ({ image, sources, packages: parsePackages(packageList) })
        )
      onProgress({ step: "checking the image", fraction: 0.98 })
      const { image, packages, sources } = added
      const facts = { name: entry.storedAs, recipe: recipeOf(entry), kernelVersion, kernel, sources, packages }
      const stored = yield* store.add(work.path, image, facts)
      onProgress({ step: "ready", fraction: 1 })
      return stored
    }))

  const buildDebian = (entry: CatalogueEntry, onProgress: OnProgress) =>
    Effect.scoped(Effect.gen(function*() {
      const work = yield* makeTemporary(store.temporaries, entry.name)
      const built = yield* buildImage({
        entry,
        modules: kernel.modules(silent),
        work,
        packages: path.join(downloads, entry.codename),
        onProgress: within(onProgress, 0, 0.98)
      })
      onProgress({ step: "checking the image", fraction: 0.98 })
      const stored = yield* store.add(work.path, built.image, {
        name: entry.storedAs,
        recipe: recipeOf(entry),
        kernelVersion: built.modules.version,
        kernel: built.modules.digest,
        sources: built.sources,
        packages: parsePackages(built.packageList)
      })
      onProgress({ step: "ready", fraction: 1 })
      return stored
    }))

  const build = (entry: CatalogueEntry, onProgress: OnProgress): Effect.Effect<StoredImage, BuildFailure> =>
    entry.over === undefined ? buildDebian(entry, onProgress) : addOver(entry, entry.over, onProgress)

  /** The image in its current state. Damage counts as absence and is logged. */
  const usable = (entry: CatalogueEntry, thorough: boolean) =>
    storeOf(entry).find(entry.storedAs, { thorough }).pipe(
      Effect.catchTag("ImageDamaged", (error) =>
        Effect.as(Effect.logWarning(`${entry.name} is built anew: ${error.message}`), Option.none<StoredImage>()))
    )

  /** Returns the image if `good` accepts it, else builds it once for all concurrent requests. */
  const obtain = (
    entry: CatalogueEntry,
    onProgress: OnProgress,
    thorough: boolean,
    good: (image: StoredImage) => boolean,
    beforeBuild: PullOptions["beforeBuild"] = Effect.void
  ): Effect.Effect<Environment, EnvironmentError> => {
    const look = Effect.map(usable(entry, thorough), Option.filter(good))
    const make = Effect.gen(function*() {
      yield* sweepTemporaries(store.temporaries)
      const found = yield* look
      if (Option.isSome(found)) return found.value
      return yield* isKept(entry) || entry.oci !== undefined ? gone(entry) : build(entry, onProgress)
    })
    return Effect.scoped(Effect.gen(function*() {
      yield* prepare
      const found = yield* look
      if (Option.isSome(found)) return found.value
      yield* beforeBuild
      const waiting = yield* Effect.forkScoped(reportWaiting(entry, onProgress))
      return yield* locked(entry)(Effect.andThen(Fiber.interrupt(waiting), make))
    })).pipe(mapFailure(entry.name, "prepare", entry.diskMib), Effect.map(environmentOf(entry)))
  }

  return obtain
}

const gone = ({ name, oci, own }: CatalogueEntry) =>
  new EnvironmentBuildFailed({
    environment: name,
    step: "image",
    detail: oci !== undefined && own === undefined
      ? "its image is gone"
      : `its image is gone, and was made from ${own?.workspace ?? "a workspace"}`,
    next: [
      oci === undefined || own !== undefined
        ? call("Remove it", "env.rm", { environments: [name] })
        : isImageName(name)
        ? call("Pull it again", "env.pull", { environment: name })
        : words("Build or import it again")
    ]
  })

/** The lock's holder builds the same image. */
const reportWaiting = ({ name }: CatalogueEntry, onProgress: OnProgress) =>
  Effect.delay(
    Effect.sync(() => onProgress({ step: `waiting for another pyro that is building ${name}`, fraction: 0 })),
    "500 millis"
  )
