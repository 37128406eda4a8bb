import { Effect } from "effect"
import { resolve } from "node:path"
import { DevContainerRefused } from "../../contract/errors/errors.ts"
import { parseReference } from "../../contract/text/image-reference.ts"
import { named } from "../../contract/text/names.ts"
import {
  type BuildPlan,
  dependenciesOf,
  digestOf,
  namesOfHost,
  type Place,
  planOf,
  type ReadFile,
  readFile,
  variablesOf
} from "../recipe/devcontainer.ts"
import { type Bases, basesOf, type NamedImage, OF_HOST } from "../recipe/dockerfile.ts"
import { type DevContainerInputs, readInputs } from "./devcontainer-inputs.ts"
import { findDevContainer, type FoundDevContainer } from "./devcontainer.ts"
import { placeOf } from "./model/packed.ts"

/** A devcontainer.json that was read. */
export interface KnownDevContainer {
  readonly found: FoundDevContainer
  readonly read: ReadFile
  readonly place: Place
}

/** Reads the devcontainer.json of a directory. `given`: the variables that the person named. */
export const devContainerAt = (directory: string, given: Place["given"]) =>
  Effect.gen(function*() {
    const found = yield* findDevContainer(directory)
    const read = yield* Effect.mapError(
      Effect.fromResult(readFile(found.text)),
      (detail) => new DevContainerRefused({ path: found.file, detail })
    )
    const place = { project: yield* placeOf(found.project), file: yield* placeOf(found.file), given }
    return { found, read, place } satisfies KnownDevContainer
  })

/** The plan of a file, with what it reads, and the digest of both. */
export const planned = (known: KnownDevContainer, buildArgs: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const plan = yield* Effect.mapError(
      Effect.fromResult(planOf(known.read.file, variablesOf(known.place))),
      (detail) => new DevContainerRefused({ path: known.found.file, detail })
    )
    const inputs = yield* readInputs(known.found, plan)
    // Other variables of the person are no part of the build.
    const given = namesOfHost(known.found.text).map((name) => [name, known.place.given[name]])
    const key = digestOf([known.found.text, inputs.dockerfile?.text, inputs.folders, buildArgs, given])
    return { plan, inputs, key }
  })

/** The build arguments of a plan: those of the person win. */
export const argumentsOf = (
  { arguments: ofFile }: Extract<BuildPlan["base"], { readonly _tag: "dockerfile" }>,
  buildArgs: Readonly<Record<string, string>>
): Readonly<Record<string, string>> => named([...Object.entries(ofFile), ...Object.entries(buildArgs)])

/** References of features, without those of the project. */
const featureImages = (ids: ReadonlyArray<string>): ReadonlyArray<NamedImage> =>
  ids.flatMap((id) => {
    const reference = parseReference(id)
    return reference === undefined ? [] : [{ reference }]
  })

/** The Dockerfile of a plan, and the images and features that a build of it fetches. Features of registries may need further ones. */
export const basesOfPlan = (
  { base, features }: Pick<BuildPlan, "base" | "features">,
  { dockerfile, folders, seed }: DevContainerInputs,
  buildArgs: Readonly<Record<string, string>>
): Effect.Effect<{ readonly text: string; readonly bases: Bases }> =>
  Effect.gen(function*() {
    const ids = [...features.map(({ id }) => id), ...folders.flatMap(({ files: [text = ""] }) => dependenciesOf(text))]
    const ofFeatures = featureImages(ids)
    if (base._tag === "image" && base.reference.startsWith(OF_HOST)) {
      const own = { environment: base.reference.slice(OF_HOST.length), image: base.reference }
      const bases = { images: ofFeatures, environments: [own], unknown: [], root: base.reference }
      return { text: `FROM ${base.reference}\n`, bases }
    }
    if (base._tag === "image") {
      const reference = parseReference(base.reference)
      // Features are installed over it by a Dockerfile. Without them, no Dockerfile names it.
      const named = features.length === 0 ? {} : { image: base.reference }
      const images = [...reference === undefined ? [] : [{ reference, ...named }], ...ofFeatures]
      return { text: `FROM ${base.reference}\n`, bases: { images, unknown: [], root: base.reference } }
    }
    const text = dockerfile?.text ?? ""
    const bases = yield* basesOf(text, { arguments: argumentsOf(base, buildArgs), target: base.target })
    const path = resolve(seed ?? "/", dockerfile?.file ?? "")
    const at = <A>(all: ReadonlyArray<A>) => all.map((one) => ({ ...one, path }))
    return {
      text,
      bases: { ...bases, images: [...at(bases.images), ...ofFeatures], environments: at(bases.environments ?? []) }
    }
  })
