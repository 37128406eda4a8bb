import { Effect } from "effect"
import * as path from "node:path"
import { copyFile } from "../../system/files/content.ts"
import { linkFile } from "../../system/files/entries.ts"
import type { Temporary } from "../../system/files/temporary.ts"
import type { CatalogueEntry } from "../catalogue.ts"
import { mapBuildFailure } from "./failures.ts"
import { needTool, runSupervised, withSbin } from "./host-tools.ts"
import type { OnProgress } from "./progress.ts"
import { recipeFolder } from "./recipe.ts"
import { needSpace } from "./space.ts"

export interface NpmImageBuild {
  readonly entry: CatalogueEntry
  /** Image of `entry.over`. */
  readonly base: string
  readonly work: Temporary
  readonly onProgress: OnProgress
}

/**
 * Makes an image of another image and npm packages beneath /usr/local, and gives its path. The host's npm fetches the packages, with the host's own
 * registry and proxy settings. No script of a package runs: a script would run on the host.
 */
export const buildNpmImage = ({ base, entry, onProgress, work }: NpmImageBuild) =>
  Effect.gen(function*() {
    for (const tool of ["npm", "fsck.erofs", "mkfs.erofs"]) yield* needTool(tool)
    const context = { environment: entry.name, folder: work.path, neededMib: entry.diskMib + entry.treeMib }
    yield* mapBuildFailure({ ...context, step: "prepare" })(needSpace(work.path, context.neededMib))
    const file = (name: string) => path.join(work.path, name)
    // The image stays readable here if another process removes its environment.
    yield* mapBuildFailure({ ...context, step: "prepare" })(
      Effect.catch(linkFile(base, file("base.erofs")), () => copyFile(base, file("base.erofs")))
    )

    onProgress({ step: "fetching npm packages", fraction: 0 })
    yield* mapBuildFailure({ ...context, step: "npm" })(
      runSupervised(work.alive, ["npm", "install", ...npmOptions, "--prefix", file("npm"), ...entry.own?.npm ?? []], {
        cwd: work.path,
        env: withSbin()
      })
    )
    onProgress({ step: "writing the image", fraction: 0.6 })
    yield* mapBuildFailure({ ...context, step: "image" })(
      runSupervised(work.alive, ["bash", path.join(recipeFolder("environment"), "add-npm.sh")], { cwd: work.path })
    )
    return file("root.erofs")
  })

const npmOptions = [
  "--global",
  "--ignore-scripts",
  // The guest's Node runs the packages, not the host's.
  "--engine-strict=false",
  "--no-audit",
  "--no-fund",
  "--no-update-notifier",
  "--loglevel=error"
]
