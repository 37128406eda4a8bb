import { Effect, Option } from "effect"
import * as path from "node:path"
import { ensureFolder } from "../../system/files/folders.ts"
import { withLock } from "../../system/files/lock.ts"
import { catalogue, type CatalogueEntry, lookUp } from "../catalogue.ts"
import { type Definition, keptEntry, ownDefinitions, ownEntry } from "../own.ts"
import { isKept } from "./environment.ts"
import { mapBuildFailure } from "./failures.ts"
import { imageStore } from "./store.ts"

/** Longer than any build, so that a waiting request gets the other build's result. */
const BUILD_TIMEOUT_MS = 60 * 60_000

/**
 * Places of images: images that pyro can build again lie in the cache, images of workspaces beside the user's definitions. Also the
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

  /** Images that nothing could make again. */
  const keptRoot = path.join(definitions, "images")
  const kept = imageStore(keptRoot)
  const storeOf = (entry: CatalogueEntry) => isKept(entry) ? kept : store
  const entryOf = (definition: Definition) =>
    definition.workspace === undefined
      ? Effect.map(lookUp(definition.from), (base) => ownEntry(base, definition))
      : Effect.succeed(keptEntry(definition))
  /** The catalogue's and the user's own environments, without those whose base this version of pyro does not know. */
  const entries = Effect.map(
    Effect.flatMap(own.all, (all) => Effect.forEach(all, (one) => Effect.option(entryOf(one)))),
    (mine) => [...catalogue, ...mine.flatMap(Option.toArray)]
  )
  const known = (name: string) =>
    catalogue.some((one) => one.name === name)
      ? lookUp(name)
      : Effect.flatMap(entries, (all) => lookUp(name, all))

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
