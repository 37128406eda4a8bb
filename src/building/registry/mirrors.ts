import { Effect } from "effect"
import type { ImageReference } from "../../contract/text/image-reference.ts"
import { mirroredReferences, parseMirrors, type RegistryMirrors } from "../../contract/text/registry-mirrors.ts"
import type { BaseMirror, KeptImage, MadeImage } from "../../lib/environment/model/image-builder.ts"
import { sourceOf } from "../../lib/recipe/image-source.ts"
import { setting } from "../../system/settings/config.ts"

const configured = Effect.map(
  setting("PYRO_REGISTRY_MIRRORS"),
  (text): RegistryMirrors => parseMirrors(text ?? "") ?? {}
)

/** Registries for which the person configured mirrors. */
export const mirroredRegistries = Effect.map(configured, (all) => Object.keys(all))

/** Settings of a builder for the mirrors of some images. */
export interface Mirrors {
  /** The images at the mirrors, whose logins their pulls use. */
  readonly references: ReadonlyArray<ImageReference>
  /** Rules for the builder's policy. */
  readonly allowHosts: ReadonlyArray<string>
  /** The mirrors themselves, as HOST:PORT. */
  readonly registries: ReadonlyArray<string>
  /** Sources, for the pull of one image. */
  readonly sources: ReadonlyArray<{ readonly name: string; readonly source: string; readonly plainHttp: boolean }>
  /** Mirrors of registries, for the build of a Dockerfile. */
  readonly bases: ReadonlyArray<BaseMirror>
}

/** The mirrors of images, as the person configured them. */
export const mirrorsOf = (images: ReadonlyArray<ImageReference>) =>
  Effect.map(configured, (all): Mirrors => {
    const found = images.flatMap((image) =>
      mirroredReferences(image, all).map(({ mirror, reference }) => {
        const slash = mirror.indexOf("/")
        const source = sourceOf(reference)
        // The host of a mirror on this host's loopback has another name in the builder.
        const host = source.plainHttp ? source.registry : reference.registry
        const location = `${host}${slash === -1 ? "" : mirror.slice(slash)}`
        return {
          mirror,
          reference,
          source,
          base: { name: mirror, registry: image.registry, location, plainHttp: source.plainHttp }
        }
      })
    )
    const bases = new Map(found.map(({ base }) => [`${base.registry} ${base.location}`, base]))
    return {
      references: found.map(({ reference }) => reference),
      allowHosts: [...new Set(found.flatMap(({ source }) => source.allowHosts))],
      registries: [...new Set(found.map(({ source }) => source.registry))],
      sources: found.map(({ mirror, source }) => ({
        name: mirror,
        source: source.source,
        plainHttp: source.plainHttp
      })),
      bases: [...bases.values()]
    }
  })

/** The image with the names of the mirrors that gave it, or bases of its Dockerfile. The builder knows the mirrors by their numbers. */
export const withMirror = (made: MadeImage, { bases, sources }: Pick<Mirrors, "bases" | "sources">): KeptImage => {
  const { baseMirrors = [], mirrorNumber } = made
  const gave = [...mirrorNumber === undefined ? [] : [sources[mirrorNumber]], ...baseMirrors.map((at) => bases[at])]
  const names = new Set(gave.flatMap((one) => one === undefined ? [] : [one.name]))
  return names.size === 0 ? made : { ...made, mirror: [...names].join(", ") }
}
