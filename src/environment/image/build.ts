import { Effect } from "effect"
import * as path from "node:path"
import { copyFile } from "../../system/files/content.ts"
import { linkFile, renameFile } from "../../system/files/entries.ts"
import { packagesOf } from "../catalogue.ts"
import type { KernelError, KernelModules } from "../Kernel.ts"
import { mapBuildFailure } from "./failures.ts"
import { needTool } from "./host-tools.ts"
import { recipeFolder } from "./recipe.ts"
import { type PackageBuild, runBuild } from "./run-build.ts"

export interface ImageBuild extends PackageBuild {
  readonly modules: Effect.Effect<KernelModules, KernelError>
}

export interface AddedBuild extends PackageBuild {
  /** Image of `entry.over`. */
  readonly base: string
}

/** Builds an image of an environment inside a working folder by `rootfs/environment/build.sh`. */
export const buildImage = (options: ImageBuild) => {
  const { entry, work } = options
  const script = path.join(recipeFolder("environment"), "build.sh")
  // The kernel is fetched during the unpacking of the base system: one waits for the network while the other computes.
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
    yield* needTool("fsck.erofs")
    const context = { environment: entry.name, step: "prepare", folder: work.path, neededMib: entry.diskMib }
    // The image stays readable here if another process removes its environment.
    yield* mapBuildFailure(context)(linkOrCopy(base, path.join(work.path, "base.erofs")))
    const script = path.join(recipeFolder("packages"), "add.sh")
    const { built } = yield* runBuild(options, script, entry.own?.packages ?? [], () => Effect.void)
    return built
  })

/** The name appears when the content is whole. */
const linkOrCopy = (from: string, to: string) =>
  Effect.catch(linkFile(from, to), () => Effect.andThen(copyFile(from, `${to}.part`), renameFile(`${to}.part`, to)))
