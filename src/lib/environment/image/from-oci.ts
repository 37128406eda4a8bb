import { Effect } from "effect"
import * as path from "node:path"
import { makeTemporary, sweepTemporaries } from "../../../system/files/temporary.ts"
import { nowIso } from "../../../system/waits/time.ts"
import { recipeOf } from "../model/catalogue.ts"
import type { KeptImage } from "../model/image-builder.ts"
import { type Definition, keptEntry, ociEntry, type ownDefinitions, type Replacing } from "../model/own.ts"
import type { Environment, EnvironmentError } from "./environment.ts"
import { type imageStore, parsePackages } from "./store.ts"

interface Keeping {
  readonly definitions: ReturnType<typeof ownDefinitions>
  /** Gets the image. */
  readonly images: ReturnType<typeof imageStore>
  /** Has the builder's image. */
  readonly cache: ReturnType<typeof imageStore>
  /** The environment whose kernel modules the builder adds to images. Read after `make`, which has built it with progress. */
  readonly builder: Effect.Effect<Environment, EnvironmentError>
}

/** Source of an image. @default a registry, an archive or a Dockerfile */
export interface Keep extends Replacing {
  readonly workspace?: string
  readonly from?: string
  /** Packages that were added to `from`. */
  readonly packages?: ReadonlyArray<string>
}

/**
 * Keeps what a builder microVM made of an image: `make` writes the file system to a new file. pyro never reads that file, which only guests
 * mount. A failure leaves nothing; the definition comes last.
 */
export const keepOciImage = <E, R>(
  { builder, cache, definitions, images }: Keeping,
  name: string,
  make: (file: string) => Effect.Effect<KeptImage, E, R>,
  { from = name, packages: added = [], replace = false, workspace }: Keep
) =>
  Effect.scoped(Effect.gen(function*() {
    yield* sweepTemporaries(images.temporaries)
    const work = yield* makeTemporary(images.temporaries, `image-${name.slice(0, 80)}`)
    const file = path.join(work.path, "root.erofs")
    const { config, devcontainer, digest, mirror, packages } = yield* make(file)
    const oci = {
      digest,
      config,
      ...(devcontainer === undefined ? {} : { devcontainer }),
      ...(mirror === undefined ? {} : { mirror })
    }
    const created = yield* nowIso
    const definition: Definition = { format: 1, name, from, packages: added, workspace, oci, created }
    const entry = workspace === undefined ? ociEntry(definition, oci) : keptEntry(definition)
    const { kernel, kernelVersion } = yield* cache.wholeManifest((yield* builder).digest)
    yield* images.add(work.path, file, {
      name: entry.storedAs,
      recipe: workspace === undefined ? recipeOf(entry) : "workspace",
      kernelVersion,
      kernel,
      sources: [],
      packages: parsePackages(packages)
    })
    yield* definitions.keep(definition, { replace })
    // Workspaces keep the old image through their own links or copies.
    if (replace && workspace !== undefined) yield* images.sweep
  }))
