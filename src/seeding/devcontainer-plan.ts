import { Effect } from "effect"
import { DevContainerRefused } from "../contract/errors/errors.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import {
  type BuildPlan,
  digestOf,
  namesOfHost,
  type Place,
  planOf,
  type ReadFile,
  readFile,
  variablesOf
} from "../environment/devcontainer.ts"
import { type Bases, basesOf } from "../environment/dockerfile.ts"
import { type DevContainerInputs, readInputs } from "./devcontainer-inputs.ts"
import { findDevContainer, type FoundDevContainer } from "./devcontainer.ts"

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
    return { found, read, place: { project: found.project, file: found.file, given } } satisfies KnownDevContainer
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

/** The Dockerfile of a plan, and what its images and features need of the network. */
export const basesOfPlan = (
  { base, features }: Pick<BuildPlan, "base" | "features">,
  { dockerfile }: Pick<DevContainerInputs, "dockerfile">
): { readonly text: string; readonly bases: Bases } => {
  const ofFeatures = features.flatMap(({ id }) => parseReference(id)?.name ?? []).map((name) => `FROM ${name}`)
  const text = dockerfile?.text ?? (base._tag === "image" ? `FROM ${base.reference}\n` : "")
  return { text, bases: basesOf([text, ...ofFeatures].join("\n")) }
}
