import { Effect } from "effect"
import { type ImageReference, parseReference } from "../contract/text/image-reference.ts"
import { instructionsOf } from "./dockerfile/instructions.ts"
import { type BuildOptions, imagesOf } from "./dockerfile/stages.ts"

/** An image that a file names, and the line that does. */
export interface NamedImage {
  readonly reference: ImageReference
  /** Absent: the file has no such line, as that of a feature. */
  readonly line?: number
  /** Absent: the file of the request. */
  readonly path?: string
}

/** The images that a build fetches, as far as its files say it. */
export interface Bases {
  readonly images: ReadonlyArray<NamedImage>
  /** Names that nobody can know before the build, as they are written. */
  readonly unknown: ReadonlyArray<{ readonly written: string; readonly line: number }>
}

/** An image by a Dockerfile's rules: a short name is an image of Docker Hub. */
export const referenceOf = (image: string): ImageReference | undefined =>
  parseReference(image) ?? parseReference(`docker.io/${image}`)

/**
 * The images of a Dockerfile: those of FROM, `COPY --from` and `RUN --mount=from=` in the stages that the target needs. The builder reads the
 * file with another parser: an image that only the builder sees has no grant, and the network refuses it.
 */
export const basesOf = (text: string, options: BuildOptions = {}): Effect.Effect<Bases> =>
  Effect.map(instructionsOf(text), (instructions) => {
    const images: Array<NamedImage> = []
    const unknown: Array<Bases["unknown"][number]> = []
    for (const { image, line, written } of imagesOf(instructions, options)) {
      const reference = image === undefined ? undefined : referenceOf(image)
      if (reference === undefined) unknown.push({ written, line })
      else images.push({ reference, line })
    }
    return { images, unknown }
  })
