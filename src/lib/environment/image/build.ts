import { Effect } from "effect"
import * as path from "node:path"
import type { NoSpace } from "../../../contract/errors/errors.ts"
import { named } from "../../../contract/text/names.ts"
import { readText, writeFile } from "../../../system/files/content.ts"
import { ensureFolder, exists } from "../../../system/files/entries.ts"
import type { FileFailed } from "../../../system/files/failure.ts"
import type { Temporary } from "../../../system/files/temporary.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import { processEnvironment } from "../../../system/settings/config.ts"
import { addedPackagesOf, type CatalogueEntry, packagesOf } from "../model/catalogue.ts"
import { debianSources, hostFetchSettings } from "../model/debian-sources.ts"
import { type BuildContext, mapBuildFailure } from "../model/failures.ts"
import { availableMemoryMib, linkOrCopy, needSpace, needTool, runSupervised, withSbin } from "../model/host-tools.ts"
import type { KernelError, KernelModules } from "../model/kernel.ts"
import { followBuild, type OnProgress } from "../model/progress.ts"
import { recipeFolder } from "../model/rootfs.ts"

interface PackageBuild {
  readonly entry: CatalogueEntry
  readonly work: Temporary
  /** Folder of downloaded packages, shared by the environments of a release. */
  readonly packages: string
  readonly onProgress: OnProgress
}

/** Files of a finished build in its working folder. */
interface BuiltImage {
  readonly image: string
  /** Lines of `name=version`. */
  readonly packageList: string
  readonly sources: ReadonlyArray<string>
}

const tools = ["mmdebstrap", "mkfs.erofs", "tar", "apt-get"] as const

interface ImageBuild extends PackageBuild {
  readonly modules: Effect.Effect<KernelModules, KernelError>
}

interface AddedBuild extends PackageBuild {
  /** Image of `entry.over`. */
  readonly base: string
}

/** Builds an image of an environment inside a working folder by `rootfs/environment/build.sh`. */
export const buildImage = (options: ImageBuild) => {
  const { entry, work } = options
  const script = path.join(recipeFolder("environment"), "build.sh")
  // pyro fetches the kernel while the base system is unpacked: one waits for the network while the other computes.
  return Effect.map(
    runBuild(
      options,
      script,
      packagesOf(entry),
      (context) =>
        Effect.tap(
          options.modules,
          ({ archive }) => mapBuildFailure(context)(linkOrCopy(archive, path.join(work.path, "modules.tar")))
        )
    ),
    ({ built, provided: modules }) => ({ ...built, modules })
  )
}

/** Adds an environment's Debian packages to the image of another one by `rootfs/packages/add.sh`. */
export const addPackages = (options: AddedBuild) =>
  Effect.gen(function*() {
    const { base, entry, work } = options
    const unpack = yield* nativeTool("pyro-erofs")
    const context = { environment: entry.name, step: "prepare", folder: work.path, neededMib: entry.diskMib }
    // The image stays readable here if another process removes its environment.
    yield* mapBuildFailure(context)(linkOrCopy(base, path.join(work.path, "base.erofs")))
    const script = path.join(recipeFolder("packages"), "add.sh")
    const { built } = yield* runBuild(options, script, addedPackagesOf(entry), () => Effect.void, {
      PYRO_EROFS: unpack
    })
    return built
  })

/** Runs a build's script in its working folder. Meanwhile, `provide` makes a file that the script waits for. */
const runBuild = <A, E>(
  options: PackageBuild,
  script: string,
  packageNames: ReadonlyArray<string>,
  provide: (context: BuildContext) => Effect.Effect<A, E>,
  variables: NodeJS.ProcessEnv = {}
) =>
  Effect.gen(function*() {
    const { entry, work } = options
    const context: BuildContext = {
      environment: entry.name,
      step: "prepare",
      folder: work.path,
      neededMib: entry.diskMib
    }
    for (const tool of tools) yield* needTool(tool)
    const store = yield* mapBuildFailure(context)(treeStore(entry, work))
    const sources = yield* mapBuildFailure(context)(debianSources(entry.codename))
    const settings = yield* mapBuildFailure(context)(hostFetchSettings)
    const file = (name: string) => path.join(work.path, name)
    yield* mapBuildFailure(context)(Effect.all([
      writeFile(file("sources.list"), sources.join("\n") + "\n"),
      writeFile(file("host-apt.conf"), settings.join("\n") + "\n"),
      ensureFolder(options.packages)
    ], { discard: true }))

    const recipe = recipeFolder("environment")
    const log = followBuild(options.onProgress)
    const run = runSupervised(work.alive, ["bash", script], {
      cwd: work.path,
      onStdout: log.take,
      env: {
        ...cleanEnvironment(),
        PYRO_SUITE: entry.codename,
        PYRO_PACKAGES: packageNames.join(","),
        PYRO_SOURCES: file("sources.list"),
        PYRO_APT_CONF: file("host-apt.conf"),
        PYRO_DEBS: options.packages,
        PYRO_RECIPE: recipe,
        PYRO_MOUNT: mountPoint([work.path, recipe, options.packages]),
        PYRO_STORE: store,
        ...variables
      }
    }).pipe(
      Effect.catchTag("ToolFailed", (error) =>
        mapBuildFailure({ ...context, step: log.step(), log: log.text })(Effect.fail(error)))
    )
    const [provided] = yield* Effect.all([provide(context), run], { concurrency: "unbounded" })
    const packageList = yield* mapBuildFailure(context)(readText(file("packages")))
    return { built: { image: file("root.erofs"), packageList, sources } satisfies BuiltImage, provided }
  })

/** The tree is in memory if there is plenty (half the time of a disk), else in the working folder. */
const treeStore = (entry: CatalogueEntry, work: Temporary): Effect.Effect<string, NoSpace | FileFailed> =>
  availableMemoryMib() > 2 * entry.treeMib
    ? Effect.as(needSpace(work.path, entry.diskMib), "memory")
    : Effect.as(needSpace(work.path, entry.diskMib + entry.treeMib), path.join(work.path, "tree"))

/** A folder that exists on every Debian and that the build does not read, so that a mount may hide its content. */
const mountPoint = (inUse: ReadonlyArray<string>) =>
  ["/mnt", "/media", "/srv", "/opt"].find((folder) =>
    exists(folder) && !inUse.some((used) => used === folder || used.startsWith(folder + "/"))
  ) ?? "/tmp"

/** Only variables that configure the network: no other variable of the caller may change an image. */
const cleanEnvironment = (): NodeJS.ProcessEnv => {
  const kept = Object.entries(processEnvironment()).filter(([name]) => /^(https?|ftp|all|no)_proxy$/i.test(name))
  return { ...named(kept), PATH: withSbin()["PATH"], HOME: "/root", LC_ALL: "C.UTF-8" }
}
