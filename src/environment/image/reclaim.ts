import { Effect } from "effect"
import { exists } from "../../system/files/entries.ts"
import { removeTree } from "../../system/files/folders.ts"
import { sweepTemporaries } from "../../system/files/temporary.ts"
import { bytesBeneath } from "../../system/files/usage.ts"
import type { CatalogueEntry } from "../catalogue.ts"
import type { Kernel } from "../Kernel.ts"
import type { ImageStores } from "./stores.ts"

/** Operations that free space, see `Environments`. */
export const makeReclaim = (stores: ImageStores, kernel: Kernel["Service"]) => {
  const { downloads, entries, keepLocked, kept, keptRoot, known, locked, own, prepare, mapFailure, store, storeOf } =
    stores

  /** All of them, or none if one is unknown. */
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
      const dropped = entry.own !== undefined && (yield* own.drop(name))
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
    yield* store.forgetAll((name) => name.startsWith("own-") && !named.has(name))
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
