import { Effect } from "effect"
import { EnvironmentUnknown } from "../../contract/errors/errors.ts"
import { named } from "../../contract/text/names.ts"
import { type Environment, Environments, type EnvironmentStatus } from "../../lib/environment/Environments.ts"
import { configOf } from "../../lib/environment/image-export.ts"
import type { PresentRequest } from "../../lib/environment/model/image-builder.ts"
import type { Bases, NamedImage } from "../../lib/recipe/dockerfile.ts"
import { openFile } from "../../system/files/content.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { hasResultDisk } from "./builder.ts"
import type { Building } from "./files.ts"
import { type Upload, uploadOfFile } from "./give-file.ts"
import { RESULT_DEVICE } from "./result.ts"

/** Whether an environment has all that its image says to a Dockerfile: older ones, and those with many labels, do not. */
const isWhole = ({ oci, state }: EnvironmentStatus) => state === "ready" && oci?.config.labelsLeftOut === undefined

interface Found {
  readonly environment: Environment
  /** Name in the Dockerfile. */
  readonly names: Set<string>
}

const join = (all: ReadonlyArray<readonly [image: string, environment: Environment]>): ReadonlyArray<Found> => {
  const found = new Map<string, Found>()
  for (const [image, environment] of all) {
    const { names } = found.get(environment.name) ?? { names: new Set<string>() }
    found.set(environment.name, { environment, names: names.add(image) })
  }
  return [...found.values()]
}

/** Fails if a file names an environment that this host does not have. A person is not asked for a grant of nothing. */
const demandKnown = (environments: NonNullable<Bases["environments"]>, path: string) =>
  Effect.flatMap(
    Environments,
    ({ inspect }) =>
      Effect.forEach(environments, ({ environment, line, path: own = path }) =>
        Effect.catchTag(
          inspect(environment, { verify: false }),
          "EnvironmentUnknown",
          ({ known, similar }) =>
            new EnvironmentUnknown({ environment, known, similar, path: own, ...(line === undefined ? {} : { line }) })
        ), { discard: true })
  )

/**
 * Finds the bases of a Dockerfile among the environments of this host: `localhost/NAME`, and images that were pulled by the very reference,
 * unless `pull` asks the registries again. `given`: the part of them that the builder gets, after the person's grant. The one that the target begins with is
 * the beginning of the result.
 */
export const presentBases = (
  { environments = [], images, root }: Bases,
  { path, pull }: { /** File that names them. */ readonly path: string; readonly pull: boolean }
) =>
  Effect.gen(function*() {
    yield* demandKnown(environments, path)
    const { ensure, list } = yield* Environments
    const known = pull ? [] : yield* list
    const present = images.flatMap((named) => {
      const one = known.find(({ name }) => name === named.reference.name)
      return named.image === undefined || one?.environment === undefined || !isWhole(one)
        ? []
        : [{ named, base: [named.image, one.environment] as const }]
    })
    const found: ReadonlyArray<NamedImage> = present.map(({ named }) => named)
    const given = ({ onProgress, secrets }: Pick<Building, "onProgress" | "secrets">) =>
      Effect.gen(function*() {
        const own = yield* Effect.forEach(
          environments,
          ({ environment, image }) => Effect.map(ensure(environment, { onProgress }), (one) => [image, one] as const)
        )
        const mayBegin = yield* hasResultDisk({ secrets })
        let base: string | undefined
        const uploads: Array<readonly [string, Upload]> = []
        const requests: Array<PresentRequest> = []
        for (
          const { environment, names } of join([
            ...own,
            ...present.map((one) => one.base)
          ])
        ) {
          const { digest, imagePath } = environment
          let file = `/workspace/.pyro-base-${requests.length}.erofs`
          if (mayBegin && root !== undefined && names.has(root)) {
            file = RESULT_DEVICE
            base = imagePath
          } else {
            const fd = yield* Effect.mapError(openFile(imagePath, "r"), toHostErrorOf(imagePath))
            uploads.push([file, yield* uploadOfFile(fd, imagePath)])
          }
          requests.push({ names: [...names], digest, config: configOf(environment), file })
        }
        return { present: requests, uploads: named(uploads), base }
      })
    return { found, pulled: images.filter((image) => !found.includes(image)), given }
  })
