import { Effect } from "effect"
import { type ImageReference, parseReference } from "../../contract/text/image-reference.ts"
import { instructionsOf } from "./dockerfile/instructions.ts"
import { type BuildOptions, imagesOf } from "./dockerfile/stages.ts"

/** An image that a file names, and the line that does. */
export interface NamedImage {
  readonly reference: ImageReference
  /** As the builder reads it in a Dockerfile. Absent: no Dockerfile names it. */
  readonly image?: string
  /** Absent: the file has no such line, as that of a feature. */
  readonly line?: number
  /** Absent: the file of the request. */
  readonly path?: string
}

/** An environment of this host that a Dockerfile names. */
export interface NamedEnvironment {
  readonly environment: string
  /** As the builder reads it. */
  readonly image: string
  /** Absent: no Dockerfile names it. */
  readonly line?: number
  /** Absent: the file of the request. */
  readonly path?: string
}

/** The images that a build fetches, as far as its files say it. */
export interface Bases {
  readonly images: ReadonlyArray<NamedImage>
  /** Environments of this host. @default none */
  readonly environments?: ReadonlyArray<NamedEnvironment>
  /** What the target begins with, as the builder reads it. Absent: unknown, or no image. */
  readonly root?: string | undefined
  /** Names that are unknown before the build, as they are written. */
  readonly unknown: ReadonlyArray<{ readonly written: string; readonly line: number }>
}

/** As container engines do, a Dockerfile names what this host made with `localhost/` in front. No registry has this name: one on this host has a port. */
export const OF_HOST = "localhost/"

/** An image by a Dockerfile's rules: a short name is an image of Docker Hub. */
const referenceOf = (image: string): ImageReference | undefined =>
  parseReference(image) ?? parseReference(`docker.io/${image}`)

/**
 * The images of a Dockerfile: those of FROM, `COPY --from` and `RUN --mount=from=` in the stages that the target needs. The builder reads the
 * file with another parser: an image that only the builder sees has no grant, and the network refuses it.
 */
export const basesOf = (text: string, options: BuildOptions = {}): Effect.Effect<Bases> =>
  Effect.map(instructionsOf(text), (instructions) => {
    const images: Array<NamedImage> = []
    const environments: Array<NamedEnvironment> = []
    const unknown: Array<Bases["unknown"][number]> = []
    const named = imagesOf(instructions, options)
    for (const { image, line, written } of named.images) {
      if (image?.startsWith(OF_HOST) === true) {
        environments.push({ environment: image.slice(OF_HOST.length), image, line })
        continue
      }
      const reference = image === undefined ? undefined : referenceOf(image)
      if (image === undefined || reference === undefined) unknown.push({ written, line })
      else images.push({ reference, image, line })
    }
    return { images, environments, unknown, root: named.root }
  })
