import { Schema } from "effect"
import { CheckedFile } from "../../system/files/checked-file.ts"

/** Fields of a manifest that every use of an image reads. Reading the list of packages would take most of the time. */
export const ManifestHead = Schema.Struct({
  format: Schema.Literal(1),
  /** Environment name of the build. */
  name: Schema.String,
  /** SHA-256 of the image file: the name of its folder. */
  digest: Schema.String,
  /** Digest of the recipe (see `recipeOf`). */
  recipe: Schema.String,
  kernelVersion: Schema.String,
  /** Time of the build on this host, ISO 8601. */
  created: Schema.String,
  image: CheckedFile
})
export type ManifestHead = typeof ManifestHead.Type

/** Sources of an image, beside it in its folder. */
export const Manifest = Schema.Struct({
  ...ManifestHead.fields,
  /** Digest of the kernel package's pieces. */
  kernel: Schema.String,
  /** Lines of the sources.list that the packages came by. */
  sources: Schema.Array(Schema.String),
  /** Every Debian package inside, sorted. */
  packages: Schema.Array(Schema.Struct({ name: Schema.String, version: Schema.String }))
})
export type Manifest = typeof Manifest.Type

/** Image of an environment's name. */
export const NameRecord = Schema.Struct({ format: Schema.Literal(1), name: Schema.String, digest: Schema.String })
export type NameRecord = typeof NameRecord.Type

/** Reads lines of `name=version`, the format of the build's package list. */
export const parsePackages = (text: string): Manifest["packages"] =>
  text.split("\n").filter((line) => line !== "").map((line) => {
    const [name = "", version = ""] = line.split("=", 2)
    return { name, version }
  })
