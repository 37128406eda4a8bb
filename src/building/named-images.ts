import { Effect } from "effect"
import type { BuildPayload } from "../contract/rows/environment.ts"
import type { CreatePayload } from "../contract/rows/workspace-lifecycle.ts"
import { basesOf, type NamedImage } from "../lib/recipe/dockerfile.ts"
import { basesOfPlan, devContainerAt, planned } from "../lib/seeding/devcontainer-plan.ts"
import { readDockerfile } from "../lib/seeding/dockerfile.ts"

export { notAllowed } from "./registry/grants.ts"

type Asked =
  & Partial<Pick<BuildPayload, "buildArgs" | "devcontainer" | "dockerfile" | "target">>
  & Partial<Pick<CreatePayload, "env">>

/** The images of a request's Dockerfile or dev container. An unreadable file has none: the build says why. */
export const namedImages = ({ buildArgs = {}, devcontainer, dockerfile, env = {}, target }: Asked) =>
  Effect.gen(function*() {
    if (devcontainer !== undefined) {
      const known = yield* devContainerAt(devcontainer, env)
      const { inputs, plan } = yield* planned(known, buildArgs)
      const { bases } = yield* basesOfPlan(plan, inputs, buildArgs)
      return bases.images
    }
    const found = dockerfile === undefined ? undefined : yield* readDockerfile(dockerfile)
    if (found === undefined) return []
    const { images } = yield* basesOf(found.text, { arguments: buildArgs, target })
    return images
  }).pipe(Effect.orElseSucceed((): ReadonlyArray<NamedImage> => []))
