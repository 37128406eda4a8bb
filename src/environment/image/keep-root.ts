import { Effect } from "effect"
import * as path from "node:path"
import { copyFile } from "../../system/files/content.ts"
import { makeFolder } from "../../system/files/folders.ts"
import { makeTemporary, sweepTemporaries } from "../../system/files/temporary.ts"
import { nowIso } from "../../system/waits/time.ts"
import type { KernelError, KernelModules } from "../Kernel.ts"
import { checkName, type Definition, type ownDefinitions } from "../own.ts"
import { parsePackages } from "./manifest.ts"
import type { OnProgress } from "./progress.ts"
import type { imageStore } from "./store.ts"
import { unpackImage } from "./unpack.ts"

export interface KeepRequest {
  readonly name: string
  /** Gives the name to the new environment if it belongs to another one of the user's own. */
  readonly replace?: boolean
  /** Id of the workspace whose root it is, and the environment that one started from. */
  readonly workspace: string
  readonly from: string
}

/** Destinations of a kept root, and the services for its completion. */
export interface Keeping {
  readonly definitions: ReturnType<typeof ownDefinitions>
  readonly images: ReturnType<typeof imageStore>
  readonly modules: Effect.Effect<KernelModules, KernelError>
}

/**
 * Makes an environment from a tar archive of a guest's root, which `archive` writes to a new file. The image precedes its
 * definition, so a failure leaves nothing. One call at a time.
 */
export const keepRoot = <E>(
  { definitions, images, modules }: Keeping,
  { from, name, replace = false, workspace }: KeepRequest,
  archive: (file: string) => Effect.Effect<void, E>,
  onProgress: OnProgress
) =>
  Effect.scoped(Effect.gen(function*() {
    yield* checkName(name)
    const definition: Definition = {
      format: 1,
      name,
      from,
      packages: [],
      workspace,
      created: yield* nowIso
    }
    yield* definitions.known(definition, { replace })
    yield* sweepTemporaries(images.temporaries)
    const work = yield* makeTemporary(images.temporaries, name)
    const given = path.join(work.path, "in")
    yield* makeFolder(given)
    onProgress({ step: "reading the workspace's root", fraction: 0.05 })
    yield* archive(path.join(given, "root.tar"))
    const { archive: modulesArchive, digest: kernel, version: kernelVersion } = yield* modules
    yield* copyFile(modulesArchive, path.join(given, "modules.tar"))
    onProgress({ step: "writing the image", fraction: 0.7 })
    const { image, packageList } = yield* unpackImage(work)
    yield* images.add(work.path, image, {
      name,
      recipe: "workspace",
      kernelVersion,
      kernel,
      sources: [],
      packages: parsePackages(packageList)
    })
    yield* definitions.keep(definition, { replace })
    // Workspaces hold the image that the name had before.
    if (replace) yield* images.sweep
  }))
