import { Effect, Option } from "effect"
import * as path from "node:path"
import { parseReference } from "../../../contract/text/image-reference.ts"
import { ensureFolder, exists } from "../../../system/files/entries.ts"
import { withLock } from "../../../system/files/lock.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { sweepTemporaries } from "../../../system/files/temporary.ts"
import { bytesBeneath } from "../../../system/files/usage.ts"
import { catalogue, type CatalogueEntry, lookUp } from "../model/catalogue.ts"
import { mapBuildFailure } from "../model/failures.ts"
import type { GuestKernels } from "../model/kernel.ts"
import { type Definition, keptEntry, ociEntry, ownDefinitions, ownEntry } from "../model/own.ts"
import { isKept } from "./environment.ts"
import { imageStore } from "./store.ts"

/** Longer than any build, so that a waiting request gets the other build's result. */
const BUILD_TIMEOUT_MS = 60 * 60_000

/**
 * The stores of images: images that pyro can build again are in the cache, images of workspaces are beside the user's definitions. Also the
 * list of environments.
 */
export const makeImageStores = (cacheDir: string, definitions: string) => {
  const root = path.join(cacheDir, "environments")
  const downloads = path.join(cacheDir, "packages")
  const store = imageStore(root)
  const own = ownDefinitions(definitions)
  const prepare = ensureFolder(root)
  const mapFailure = (environment: string, step: string, neededMib = 1) =>
    mapBuildFailure({ environment, step, folder: root, neededMib })

  /** Images that pyro cannot build again. */
  const keptRoot = path.join(definitions, "images")
  const kept = imageStore(keptRoot)
  const storeOf = (entry: CatalogueEntry) => isKept(entry) ? kept : store
  const entryOf = (definition: Definition) =>
    definition.workspace !== undefined
      ? Effect.succeed(keptEntry(definition))
      : definition.oci !== undefined
      ? Effect.succeed(ociEntry(definition, definition.oci))
      : Effect.map(lookUp(definition.from), (base) => ownEntry(base, definition))
  /** The catalogue's and the user's own environments, without those whose base this version of pyro does not know. */
  const entries = Effect.map(
    Effect.flatMap(own.all, (all) => Effect.forEach(all, (one) => Effect.option(entryOf(one)))),
    (mine) => [...catalogue, ...mine.flatMap(Option.toArray)]
  )
  const known = (name: string) =>
    catalogue.some((one) => one.name === name)
      ? lookUp(name)
      : Effect.flatMap(entries, (all) => lookUp(parseReference(name)?.name ?? name, all))

  /** Lock of builds and removals of one environment. */
  const locked = (entry: CatalogueEntry) =>
    withLock(path.join(root, `${entry.storedAs.replace(":", "_")}.lock`), { timeoutMs: BUILD_TIMEOUT_MS })
  const keepLocked = withLock(path.join(definitions, "keep.lock"), { timeoutMs: BUILD_TIMEOUT_MS })

  return {
    downloads,
    store,
    own,
    prepare,
    mapFailure,
    keptRoot,
    kept,
    storeOf,
    entryOf,
    entries,
    known,
    locked,
    keepLocked
  }
}
export type ImageStores = ReturnType<typeof makeImageStores>

/** Operations that free space, see `Environments`. */
export const makeReclaim = (stores: ImageStores, kernel: GuestKernels) => {
  const { downloads, entries, keepLocked, kept, keptRoot, known, locked, own, prepare, mapFailure, store, storeOf } =
    stores

  /** Removes all of them, or none if one is unknown. */
  const remove = (names: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const gone = yield* Effect.forEach(yield* Effect.forEach([...new Set(names)], known), removeOne)
      return {
        removed: gone.flatMap(({ removed }) => removed),
        freedBytes: gone.reduce((sum, { freedBytes }) => sum + freedBytes, 0)
      }
    })

  const removeOne = (entry: CatalogueEntry) => {
    const { name } = entry
    return Effect.gen(function*() {
      const dropped = (entry.own ?? entry.oci) !== undefined && (yield* own.drop(name))
      const shared = (yield* entries).some((one) => one.storedAs === entry.storedAs && one.name !== name)
      if (!shared) yield* storeOf(entry).forget(entry.storedAs)
      const { freedBytes, removed } = yield* storeOf(entry).sweep
      return { removed: dropped || removed.length > 0 ? [name, ...removed] : [], freedBytes }
    }).pipe(
      locked(entry),
      (work) => Effect.andThen(prepare, work),
      mapFailure(name, "remove")
    )
  }

  const sweep = Effect.gen(function*() {
    yield* prepare
    const temporary = (yield* sweepTemporaries(store.temporaries)) + (yield* sweepTemporaries(kept.temporaries))
    return temporary + (yield* kernel.sweep)
  }).pipe(mapFailure("all", "sweep"))

  const prune = Effect.gen(function*() {
    yield* prepare
    const temporary = yield* sweepTemporaries(store.temporaries)
    const named = new Set((yield* entries).map(({ storedAs }) => storedAs))
    // Definitions belong to the state: an image without one can only return with a new definition.
    yield* store.forgetAll((name) => /^(own|oci)-/.test(name) && !named.has(name))
    // Left by a crash between image and name. An image with an unreadable definition stays, because pyro could not make it again.
    const unnamed = exists(keptRoot)
      ? yield* keepLocked(Effect.andThen(kept.forgetAll((name) => !own.isGiven(name)), kept.sweep))
      : { removed: [], freedBytes: 0 }
    const { freedBytes, removed } = yield* store.sweep
    const packages = bytesBeneath(downloads)
    yield* removeTree(downloads)
    const kernels = yield* kernel.prune
    return {
      removed: [...removed, ...unnamed.removed],
      freedBytes: temporary + freedBytes + unnamed.freedBytes + packages + kernels
    }
  }).pipe(mapFailure("all", "prune"))

  return { remove, sweep, prune }
}
