import { Effect } from "effect"
import * as path from "node:path"
import { makeTemporary, sweepTemporaries } from "../../system/files/temporary.ts"
import { nowIso } from "../../system/waits/time.ts"
import { recipeOf } from "../catalogue.ts"
import type { KeptImage } from "../image-builder.ts"
import { type Definition, ociEntry, type ownDefinitions, type Replacing } from "../own.ts"
import type { Environment } from "./environment.ts"
import { type imageStore, parsePackages } from "./store.ts"

interface Keeping {
  readonly definitions: ReturnType<typeof ownDefinitions>
  readonly images: ReturnType<typeof imageStore>
  /** The environment whose kernel modules the builder adds to images. */
  readonly builder: Environment
}

/**
 * Keeps what a builder microVM made of an image: `make` writes the file system to a new file. pyro never reads that file, which only guests
 * mount. A failure leaves nothing; the definition comes last.
 */
export const keepOciImage = <E>(
  { builder, definitions, images }: Keeping,
  name: string,
  make: (file: string) => Effect.Effect<KeptImage, E>,
  replacing: Replacing
) =>
  Effect.scoped(Effect.gen(function*() {
    yield* sweepTemporaries(images.temporaries)
    const work = yield* makeTemporary(images.temporaries, `image-${name.slice(0, 80)}`)
    const file = path.join(work.path, "root.erofs")
    const { config, devcontainer, digest, packages } = yield* make(file)
    const oci = {
      digest,
      config,
      ...(devcontainer === undefined ? {} : { devcontainer })
    }
    const definition: Definition = { format: 1, name, from: name, packages: [], oci, created: yield* nowIso }
    const entry = ociEntry(definition, oci)
    const { kernel, kernelVersion } = yield* images.wholeManifest(builder.digest)
    yield* images.add(work.path, file, {
      name: entry.storedAs,
      recipe: recipeOf(entry),
      kernelVersion,
      kernel,
      sources: [],
      packages: parsePackages(packages)
    })
    yield* definitions.keep(definition, replacing)
  }))
