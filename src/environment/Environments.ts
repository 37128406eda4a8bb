import { Context, Effect, Fiber, Layer, Option } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import {
  EnvironmentBuildFailed,
  type EnvironmentNameTaken,
  type EnvironmentUnknown,
  type HostToolMissing,
  type ImageDamaged,
  InvalidRequest,
  type NoSpace
} from "../contract/errors.ts"
import { withLock } from "../system/lock.ts"
import { Paths } from "../system/Paths.ts"
import { catalogue, type CatalogueEntry, lookUp, recipeOf } from "./catalogue.ts"
import { sayBuildFailure } from "./failures.ts"
import { buildImage } from "./image-build.ts"
import { imageStore, type StoredImage } from "./image-store.ts"
import { type KeepRequest, keepRoot } from "./keep-root.ts"
import { Kernel } from "./Kernel.ts"
import { parsePackages } from "./manifest.ts"
import { checkName, type Definition, keptEntry, ownDefinitions, ownEntry, ownFolder, packageNames } from "./own.ts"
import { type OnProgress, silent, within } from "./progress.ts"
import { bytesBeneath, makeTemporary, sweepTemporaries } from "./temporary.ts"

/** An environment that is on this host. */
export interface Environment {
  readonly name: string
  /** SHA-256 of the image. */
  readonly digest: string
  readonly imagePath: string
  readonly sizeBytes: number
  readonly kernelVersion: string
  /** When it was built here, ISO 8601. */
  readonly builtAt: string
}

/** One line of the catalogue or an environment of the user's own, with what this host has of it. */
export interface EnvironmentStatus {
  readonly name: string
  readonly description: string
  readonly state: "ready" | "absent" | "outdated"
  readonly environment: Environment | undefined
  /** What it was made of by `define`; none for those of the catalogue. */
  readonly own: CatalogueEntry["own"]
}

export interface EnvironmentDetail extends EnvironmentStatus {
  readonly packages: ReadonlyArray<{ readonly name: string; readonly version: string }>
}

export interface Removed {
  /** Names or digests of what is gone. */
  readonly removed: ReadonlyArray<string>
  readonly freedBytes: number
}

export type EnvironmentError = EnvironmentUnknown | EnvironmentBuildFailed | ImageDamaged | HostToolMissing | NoSpace

export interface PullOptions {
  readonly onProgress?: OnProgress
  /** Builds it again from today's packages even when it is there and whole. */
  readonly force?: boolean
}

export interface DefineRequest {
  readonly name: string
  /** An environment of the catalogue, or one of the user's own, whose packages are then added as well. */
  readonly from: string
  readonly packages: ReadonlyArray<string>
}

/** The guest roots that pyro can build, and those that are in the cache. */
export class Environments extends Context.Tag("pyro/environment/Environments")<Environments, {
  readonly list: Effect.Effect<ReadonlyArray<EnvironmentStatus>, EnvironmentError>
  /** The environment if it is on this host and looks whole; none when it is not built yet. Fails with ImageDamaged. */
  readonly resolve: (name: string) => Effect.Effect<Option.Option<Environment>, EnvironmentUnknown | ImageDamaged>
  /** The environment, built when it is absent or damaged. One that an older recipe made is used as it is. */
  readonly ensure: (name: string, options?: PullOptions) => Effect.Effect<Environment, EnvironmentError>
  /** Reads the image whole and builds it when it is absent, damaged, outdated, or when `force` asks for it. */
  readonly pull: (name: string, options?: PullOptions) => Effect.Effect<Environment, EnvironmentError>
  /**
   * Builds an environment of the user's own and gives it its name when it is there: nothing is left of one that cannot be built.
   * The same request again is the same environment; another of that name fails with EnvironmentNameTaken.
   */
  readonly define: (
    request: DefineRequest,
    options?: PullOptions
  ) => Effect.Effect<Environment, EnvironmentError | EnvironmentNameTaken | InvalidRequest>
  /** Makes an environment of the user's own out of a tar archive of a guest's root, which `archive` writes to a new file. */
  readonly keep: <E>(
    request: KeepRequest,
    archive: (file: string) => Effect.Effect<void, E>,
    options?: PullOptions
  ) => Effect.Effect<void, E | EnvironmentError | EnvironmentNameTaken | InvalidRequest>
  /** What it is made of. Reads the image whole when `verify` asks for it. */
  readonly inspect: (
    name: string,
    options: { readonly verify: boolean }
  ) => Effect.Effect<EnvironmentDetail, EnvironmentError>
  /** Removes it from this host, the definition too of one of the user's own. Running VMs keep what they have open. */
  readonly remove: (name: string) => Effect.Effect<Removed, EnvironmentError>
  /** Removes what dead builds left; gives the bytes. Safe at any time: no image and no download goes. */
  readonly sweep: Effect.Effect<number, EnvironmentError>
  /** Removes images that no name points to, downloaded packages, unused kernels and what dead builds left. */
  readonly prune: Effect.Effect<Removed, EnvironmentError>
}>() {
  static readonly layer = Layer.effect(
    Environments,
    Effect.gen(function*() {
      const { cacheDir, stateDir } = yield* Paths
      return make(cacheDir, ownFolder(stateDir), yield* Kernel)
    })
  )
}

/** Longer than any build takes, so that whoever waits for another's build gets its result. */
const buildTimeoutMs = 60 * 60_000

const make = (cacheDir: string, definitions: string, kernel: Context.Tag.Service<Kernel>) => {
  const root = path.join(cacheDir, "environments")
  const downloads = path.join(cacheDir, "packages")
  const store = imageStore(root)
  const own = ownDefinitions(definitions)
  const lockFile = (entry: CatalogueEntry) => path.join(root, `${entry.storedAs.replace(":", "_")}.lock`)
  const prepare = Effect.sync(() => fs.mkdirSync(root, { recursive: true, mode: 0o700 }))
  const say = (environment: string, step: string, neededMib = 1) =>
    sayBuildFailure({ environment, step, folder: root, neededMib })

  /** Images that nothing could make again. */
  const keptRoot = path.join(definitions, "images")
  const kept = imageStore(keptRoot)
  const storeOf = (entry: CatalogueEntry) => isKept(entry) ? kept : store
  const entryOf = (definition: Definition) =>
    definition.workspace === undefined
      ? Effect.map(lookUp(definition.from), (base) => ownEntry(base, definition))
      : Effect.succeed(keptEntry(definition))
  /** Those of the catalogue and the user's own; one whose base this version of pyro does not know is passed over. */
  const entries = Effect.map(
    Effect.flatMap(own.all, (all) => Effect.forEach(all, (one) => Effect.option(entryOf(one)))),
    (mine) => [...catalogue, ...mine.flatMap(Option.toArray)]
  )
  const known = (name: string) =>
    catalogue.some((one) => one.name === name)
      ? lookUp(name)
      : Effect.flatMap(entries, (all) => lookUp(name, all))

  const build = (entry: CatalogueEntry, onProgress: OnProgress) =>
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

  /** The image as it stands; damage counts as absent and is said in the log. */
  const usable = (entry: CatalogueEntry, thorough: boolean) =>
    storeOf(entry).find(entry.storedAs, { thorough }).pipe(
      Effect.catchTag("ImageDamaged", (error) =>
        Effect.as(Effect.logWarning(`${entry.name} is built anew: ${error.message}`), Option.none<StoredImage>()))
    )

  /** Takes the image if `good` holds for it, else builds it, once for all who ask at the same time. */
  const obtain = (
    entry: CatalogueEntry,
    onProgress: OnProgress,
    thorough: boolean,
    good: (image: StoredImage) => boolean
  ) => {
    const look = Effect.map(usable(entry, thorough), Option.filter(good))
    return Effect.flatMap(
      Effect.zipRight(prepare, look),
      Option.match({
        onSome: Effect.succeed,
        onNone: () =>
          Effect.scoped(Effect.gen(function*() {
            const waiting = yield* Effect.forkScoped(sayWaiting(entry, onProgress))
            return yield* Fiber.interrupt(waiting).pipe(
              Effect.zipRight(sweepTemporaries(store.temporaries)),
              Effect.zipRight(look),
              Effect.flatMap(Option.match({
                onSome: Effect.succeed,
                onNone: () => isKept(entry) ? gone(entry) : build(entry, onProgress)
              })),
              withLock(lockFile(entry), { timeoutMs: buildTimeoutMs })
            )
          }))
      })
    ).pipe(say(entry.name, "prepare", entry.diskMib), Effect.map(environmentOf(entry)))
  }

  const ensure = (name: string, options: PullOptions = {}) =>
    Effect.gen(function*() {
      return yield* obtain(yield* known(name), options.onProgress ?? silent, false, () => true)
    })

  const pull = (name: string, options: PullOptions = {}) =>
    Effect.gen(function*() {
      const entry = yield* known(name)
      const since = Date.now()
      const recipe = recipeOf(entry)
      return yield* obtain(entry, options.onProgress ?? silent, true, ({ manifest }) =>
        // A build that somebody else finished while this one waited is as new as it gets.
        isKept(entry) ||
        manifest.recipe === recipe && (options.force !== true || Date.parse(manifest.created) >= since))
    })

  const define = (request: DefineRequest, options: PullOptions = {}) =>
    Effect.gen(function*() {
      yield* checkName(request.name)
      const added = yield* packageNames(request.packages)
      const base = yield* known(request.from)
      if (isKept(base)) {
        return yield* new InvalidRequest({
          field: "from",
          detail: `${base.name} was made from a workspace; install packages in one of it, and build from that`
        })
      }
      const definition: Definition = {
        format: 1,
        name: request.name,
        from: base.own?.from ?? base.name,
        packages: [...new Set([...base.own?.packages ?? [], ...added])].sort(),
        created: new Date().toISOString()
      }
      // Before minutes of building, and once more when the name is given.
      yield* own.known(definition)
      const entry = yield* entryOf(definition)
      const recipe = recipeOf(entry)
      const built = yield* obtain(entry, options.onProgress ?? silent, false, ({ manifest }) =>
        manifest.recipe === recipe)
      yield* own.keep(definition).pipe(say(entry.name, "define"))
      return built
    })

  const keepLock = withLock(path.join(definitions, "keep.lock"), { timeoutMs: buildTimeoutMs })
  /** Only for who keeps one: a state directory in which nobody did has no folder for it. */
  const prepareKept = Effect.sync(() => fs.mkdirSync(keptRoot, { recursive: true, mode: 0o700 }))
  const keep = <E>(
    request: KeepRequest,
    archive: (file: string) => Effect.Effect<void, E>,
    options: PullOptions = {}
  ) =>
    keepRoot(
      { definitions: own, images: kept, modules: kernel.modules(silent) },
      request,
      archive,
      options.onProgress ?? silent
    )
      .pipe(keepLock, (locked) => Effect.zipRight(prepareKept, locked), say(request.name, "unpack"))

  const statusOf = (entry: CatalogueEntry, thorough: boolean): Effect.Effect<EnvironmentStatus, ImageDamaged> =>
    Effect.map(
      storeOf(entry).find(entry.storedAs, { thorough }),
      Option.match({
        onNone: () => absent(entry),
        onSome: (image): EnvironmentStatus => ({
          name: entry.name,
          description: entry.description,
          state: isKept(entry) || image.manifest.recipe === recipeOf(entry) ? "ready" : "outdated",
          environment: environmentOf(entry)(image),
          own: entry.own
        })
      })
    )

  const list = Effect.flatMap(
    entries,
    Effect.forEach((entry) =>
      statusOf(entry, false).pipe(
        // A damaged image is as good as none: it is built anew when it is used.
        Effect.catchTag("ImageDamaged", () => Effect.succeed(absent(entry)))
      )
    )
  )

  const inspect = (name: string, { verify }: { readonly verify: boolean }) =>
    Effect.gen(function*() {
      const entry = yield* known(name)
      const status = yield* statusOf(entry, verify)
      const digest = status.environment?.digest
      return { ...status, packages: digest === undefined ? [] : yield* storeOf(entry).packagesIn(digest) }
    })

  const remove = (name: string) =>
    Effect.gen(function*() {
      const entry = yield* known(name)
      return yield* Effect.gen(function*() {
        const dropped = entry.own !== undefined && (yield* own.drop(name))
        const shared = (yield* entries).some((one) => one.storedAs === entry.storedAs && one.name !== name)
        if (!shared) yield* storeOf(entry).forget(entry.storedAs)
        const { freedBytes, removed } = yield* storeOf(entry).sweep
        return { removed: dropped || removed.length > 0 ? [entry.name, ...removed] : [], freedBytes }
      }).pipe(
        withLock(lockFile(entry), { timeoutMs: buildTimeoutMs }),
        (locked) => Effect.zipRight(prepare, locked),
        say(name, "remove")
      )
    })

  const sweep = Effect.gen(function*() {
    yield* prepare
    const temporary = (yield* sweepTemporaries(store.temporaries)) + (yield* sweepTemporaries(kept.temporaries))
    return temporary + (yield* kernel.sweep)
  }).pipe(say("all", "sweep"))

  const prune = Effect.gen(function*() {
    yield* prepare
    const temporary = yield* sweepTemporaries(store.temporaries)
    const named = new Set((yield* entries).map(({ storedAs }) => storedAs))
    // Definitions are the state's: an image of none can come back only by one that is made again.
    yield* store.forgetAll((name) => name.startsWith("own-") && !named.has(name))
    // Left by a crash between image and name. One whose definition cannot be read stays: nothing could make it again.
    const unnamed = fs.existsSync(keptRoot)
      ? yield* keepLock(Effect.zipRight(kept.forgetAll((name) => !own.isGiven(name)), kept.sweep))
      : { removed: [], freedBytes: 0 }
    const { freedBytes, removed } = yield* store.sweep
    const packages = bytesBeneath(downloads)
    yield* Effect.promise(() => fs.promises.rm(downloads, { recursive: true, force: true }))
    const kernels = yield* kernel.prune
    return {
      removed: [...removed, ...unnamed.removed],
      freedBytes: temporary + freedBytes + unnamed.freedBytes + packages + kernels
    }
  }).pipe(say("all", "prune"))

  return {
    list,
    resolve: (name: string) =>
      Effect.flatMap(
        known(name),
        (entry) =>
          Effect.map(storeOf(entry).find(entry.storedAs, { thorough: false }), Option.map(environmentOf(entry)))
      ),
    ensure,
    pull,
    define,
    keep,
    inspect,
    remove,
    sweep,
    prune
  }
}

const isKept = ({ own }: CatalogueEntry) => own?.workspace !== undefined

const gone = ({ name, own }: CatalogueEntry) =>
  new EnvironmentBuildFailed({
    environment: name,
    step: "image",
    detail: `its image is gone, and was made from ${own?.workspace ?? "a workspace"}: remove it (pyro env rm ${name})`
  })

/** A lock that is not there at once is held by somebody who builds the same. */
const sayWaiting = ({ name }: CatalogueEntry, onProgress: OnProgress) =>
  Effect.delay(
    Effect.sync(() => onProgress({ step: `waiting for another pyro that is building ${name}`, fraction: 0 })),
    "500 millis"
  )

const absent = ({ description, name, own }: CatalogueEntry): EnvironmentStatus => ({
  name,
  description,
  state: "absent",
  environment: undefined,
  own
})

const environmentOf = (entry: CatalogueEntry) => ({ manifest, path }: StoredImage): Environment => ({
  name: entry.name,
  digest: manifest.digest,
  imagePath: path,
  sizeBytes: manifest.image.sizeBytes,
  kernelVersion: manifest.kernelVersion,
  builtAt: manifest.created
})
