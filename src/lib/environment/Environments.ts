import { Context, Effect, Layer, Option } from "effect"
import {
  EnvironmentNameTaken,
  type EnvironmentUnknown,
  type ImageDamaged,
  InvalidRequest
} from "../../contract/errors/errors.ts"
import { isImageName } from "../../contract/text/image-archive.ts"
import { ensureFolder } from "../../system/files/entries.ts"
import { Paths } from "../../system/files/Paths.ts"
import { asStep } from "../../system/telemetry/spans.ts"
import { nowIso, nowMs } from "../../system/waits/time.ts"
import {
  absent,
  type DefineRequest,
  type Environment,
  type EnvironmentDetail,
  type EnvironmentError,
  environmentOf,
  type EnvironmentStatus,
  type ImageUnread,
  isKept,
  type PullOptions,
  type Removed,
  type StoreFailure,
  type StoreUnchanged
} from "./image/environment.ts"
import { type Keep, keepOciImage } from "./image/from-oci.ts"
import { exactNpm, joinNpm, versionsFromNpm } from "./image/npm.ts"
import { makeObtain } from "./image/obtain.ts"
import { makeImageStores, makeReclaim } from "./image/stores.ts"
import { Kernel } from "./Kernel.ts"
import { BUILDER, type CatalogueEntry, recipeOf } from "./model/catalogue.ts"
import type { KeptImage } from "./model/image-builder.ts"
import { checkName, type Definition, ownFolder, packageNames } from "./model/own.ts"
import { silent } from "./model/progress.ts"

export type { Environment, EnvironmentDetail, EnvironmentStatus, Removed } from "./image/environment.ts"
export type { OnProgress, Progress } from "./model/progress.ts"
export { within } from "./model/progress.ts"

/** The guest roots that pyro can build, and those that are in the cache. */
export class Environments extends Context.Service<Environments, {
  readonly list: Effect.Effect<ReadonlyArray<EnvironmentStatus>, StoreFailure>
  /** The environment if this host has an image that looks whole. Fails with ImageDamaged. */
  readonly resolve: (name: string) => Effect.Effect<Option.Option<Environment>, ImageUnread | EnvironmentUnknown>
  /** The environment, built if absent or damaged, after `beforeBuild`. An image of an older recipe is used unchanged, but for a builder. */
  readonly ensure: (name: string, options?: PullOptions) => Effect.Effect<Environment, EnvironmentError>
  /** Reads the whole image and builds it if it is absent, damaged or outdated, or if `force` is set. */
  readonly pull: (name: string, options?: PullOptions) => Effect.Effect<Environment, EnvironmentError>
  /**
   * Builds an environment of the user's own and names it when it is complete. A failed build leaves no files. The same request
   * gives the same environment. Fails with EnvironmentNameTaken if the name belongs to another environment and `replace` is not
   * set.
   */
  readonly define: (
    request: DefineRequest,
    options?: PullOptions
  ) => Effect.Effect<Environment, EnvironmentError | EnvironmentNameTaken | InvalidRequest>
  /**
   * Makes an environment of an image, under its full reference or, with `replace`, under a name. `make` writes what a builder microVM made
   * of it to a new file. The same reference again replaces the image. An image of a
   * workspace is in the state directory, because pyro cannot make it again. Fails with EnvironmentNameTaken if another environment has the name and
   * `replace` is false.
   */
  readonly keepImage: <E, R>(
    reference: string,
    make: (file: string) => Effect.Effect<KeptImage, E, R>,
    options?: Keep
  ) => Effect.Effect<void, E | EnvironmentError | EnvironmentNameTaken | InvalidRequest, R>
  /** Details of the image. Reads the whole image if `verify` is set. */
  readonly inspect: (
    name: string,
    options: { readonly verify: boolean }
  ) => Effect.Effect<EnvironmentDetail, ImageUnread | EnvironmentUnknown>
  /** Removes environments from this host, with their definitions, or none if one is unknown. Running VMs keep their open files. */
  readonly remove: (names: ReadonlyArray<string>) => Effect.Effect<Removed, EnvironmentUnknown | StoreUnchanged>
  /** Removes leftovers of dead builds and returns their bytes. Safe at any time: images and downloads stay. */
  readonly sweep: Effect.Effect<number, StoreUnchanged>
  /** Removes images without a name, downloaded packages, unused kernels and leftovers of dead builds. */
  readonly prune: Effect.Effect<Removed, StoreUnchanged>
}>()("pyro/environment/Environments") {
  static readonly layer = Layer.effect(
    Environments,
    Effect.gen(function*() {
      const { cacheDir, stateDir } = yield* Paths
      return make(cacheDir, ownFolder(stateDir), yield* Kernel)
    })
  )
}

const isOfWorkspace = ({ workspace }: Definition) => workspace !== undefined

/** Builds an environment of a person's own, and keeps its definition. */
const defining = (
  { entryOf, keepLocked, kept, known, mapFailure, own }: ReturnType<typeof makeImageStores>,
  obtain: ReturnType<typeof makeObtain>,
  request: DefineRequest,
  options: PullOptions
) =>
  Effect.gen(function*() {
    yield* checkName(request.name)
    const added = yield* packageNames(request)
    const base = yield* known(request.from)
    if (isKept(base)) {
      return yield* new InvalidRequest({
        field: "from",
        detail: `${base.name} was made from a workspace; install packages in one of it, and build from that`
      })
    }
    const { replace = false } = request
    const given = yield* own.find(request.name)
    const present = replace ? [] : Option.match(given, { onNone: () => [], onSome: (one) => one.npm ?? [] })
    const npm = joinNpm(base.own?.npm ?? [], yield* exactNpm(added.npm, present, versionsFromNpm))
    const definition: Definition = {
      format: 1,
      name: request.name,
      from: base.own?.from ?? base.name,
      packages: [...new Set([...base.own?.packages ?? [], ...added.packages])].sort(),
      ...(npm.length === 0 ? {} : { npm }),
      created: yield* nowIso
    }
    // Checked before a build of minutes, and again when pyro stores the name.
    yield* own.known(definition, { replace })
    const entry = yield* entryOf(definition)
    const recipe = recipeOf(entry)
    const built = yield* obtain(
      entry,
      options.onProgress ?? silent,
      false,
      ({ manifest }) => manifest.recipe === recipe
    )
    const before = yield* own.find(request.name)
    yield* own.keep(definition, { replace }).pipe(mapFailure(entry.name, "define"))
    if (Option.exists(before, isOfWorkspace)) {
      yield* Effect.andThen(kept.forget(request.name), kept.sweep).pipe(keepLocked, mapFailure(entry.name, "define"))
    }
    return built
  })

const make = (cacheDir: string, definitions: string, kernel: Kernel["Service"]) => {
  const stores = makeImageStores(cacheDir, definitions)
  const { entries, keepLocked, kept, keptRoot, known, own, mapFailure, prepare, store, storeOf } = stores
  const obtain = makeObtain(stores, kernel)

  const ensure = (name: string, options: PullOptions = {}) =>
    Effect.gen(function*() {
      const entry = yield* known(name)
      // pyro's own programs run in a builder, and need what its recipe has.
      return yield* obtain(
        entry,
        options.onProgress ?? silent,
        false,
        ({ manifest }) => name !== BUILDER || manifest.recipe === recipeOf(entry),
        options.beforeBuild
      )
    }).pipe(asStep("environment"))

  const pull = (name: string, options: PullOptions = {}) =>
    Effect.gen(function*() {
      const entry = yield* known(name)
      const since = yield* nowMs
      const recipe = recipeOf(entry)
      return yield* obtain(entry, options.onProgress ?? silent, true, ({ manifest }) =>
        // A build that another process finished during the wait is current.
        isKept(entry) || entry.oci !== undefined ||
        manifest.recipe === recipe && (options.force !== true || Date.parse(manifest.created) >= since))
    })

  const define = (request: DefineRequest, options: PullOptions = {}) => defining(stores, obtain, request, options)

  /** Only for a request that stores a definition: without definitions, the state directory does not have this folder. */
  const prepareKept = ensureFolder(keptRoot)
  const keepImage = <E, R>(
    reference: string,
    make: (file: string) => Effect.Effect<KeptImage, E, R>,
    keep: Keep = { replace: true }
  ) =>
    Effect.gen(function*() {
      // Checked before a build of minutes, and again when pyro stores the name.
      if (!isImageName(reference)) {
        yield* checkName(reference)
        if (keep.replace !== true && own.isGiven(reference)) {
          return yield* new EnvironmentNameTaken({ environment: reference, is: "another environment" })
        }
      }
      const isCommit = keep.workspace !== undefined
      if (isCommit) yield* prepareKept
      const images = isCommit ? kept : store
      const work = keepOciImage(
        { definitions: own, images, cache: store, builder: ensure(BUILDER) },
        reference,
        make,
        keep
      )
      yield* isCommit ? keepLocked(work) : work
    }).pipe((work) => Effect.andThen(prepare, work), mapFailure(reference, "image"))

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
          own: entry.own,
          oci: entry.oci
        })
      })
    )

  const list = Effect.flatMap(
    entries,
    Effect.forEach((entry) =>
      statusOf(entry, false).pipe(
        // A damaged image counts as absent: the next use builds it again.
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
    keepImage,
    inspect,
    ...makeReclaim(stores, kernel)
  }
}
