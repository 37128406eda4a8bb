import { Effect } from "effect"
import { basesOf } from "../../environment/dockerfile.ts"
import { basesOfPlan, devContainerAt, planned } from "../../seeding/devcontainer-plan.ts"
import { readDockerfile } from "../../seeding/dockerfile.ts"

/** The registries of a Dockerfile's base images. An unreadable one has none: the build says why. */
export const registriesOfDockerfile = (dockerfile: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    Effect.orElseSucceed(readDockerfile(dockerfile), () => undefined),
    (found) => found === undefined ? [] : basesOf(found.text).references.map(({ registry }) => registry)
  )

/** The registries of a dev container's images and features. An unreadable one has none: the build says why. */
export const registriesOfDevContainer = (
  directory: string,
  given: Readonly<Record<string, string>>
): Effect.Effect<ReadonlyArray<string>> =>
  devContainerAt(directory, given).pipe(
    Effect.flatMap((known) => planned(known, {})),
    Effect.map(({ inputs, plan }) => basesOfPlan(plan, inputs).bases.references.map(({ registry }) => registry)),
    Effect.orElseSucceed(() => [])
  )
