import { Effect } from "effect"
import { named } from "../contract/text/names.ts"
import { printable } from "../contract/text/printable.ts"
import { SeedImages } from "../lib/disk/SeedImages.ts"
import {
  type EnvironmentDetail,
  Environments,
  type EnvironmentStatus,
  type OnProgress,
  type Removed
} from "../lib/environment/Environments.ts"
import { Kernel } from "../lib/environment/Kernel.ts"
import { DEFAULT_SHELL, type HealthCheck, type ImageConfig } from "../lib/environment/model/image-config.ts"
import { pruneRepositories } from "../lib/seeding/model/cache.ts"
import { pruneTemplates } from "../lib/vm/model/templates.ts"
import type { DemandRoom } from "../lib/vm/room.ts"
import { Paths } from "../system/files/Paths.ts"
import { renewalOf } from "./renewal.ts"
import { forgetSteps } from "./steps.ts"

/** The kernel, and the environment of a name. Builds them if they are absent. */
export const ensureImages = (environment: string, onProgress: OnProgress, beforeBuild?: DemandRoom) =>
  Effect.gen(function*() {
    const environments = yield* Environments
    const kernel = yield* Kernel
    const image = yield* environments.ensure(environment, { beforeBuild, onProgress })
    return { environment: image, kernel: yield* kernel.ensureWith(onProgress) }
  })

/** Fields of an environment in lists. */
export const summary = (status: EnvironmentStatus) => ({
  ...summaryOf(status),
  ...defined({ next: renewalOf(status) })
})

const summaryOf = ({ description, environment, name, oci, own, state }: EnvironmentStatus) => ({
  name,
  description,
  state,
  origin: own !== undefined ? "own" as const : oci === undefined ? "catalogue" as const : "image" as const,
  ...(oci === undefined || own !== undefined ? {} : { imageDigest: oci.digest }),
  ...(own === undefined
    ? {}
    : {
      from: own.from,
      ...(own.workspace === undefined ? { addedPackages: own.packages } : { fromWorkspace: own.workspace }),
      ...(own.npm.length === 0 ? {} : { addedNpmPackages: own.npm })
    }),
  ...(environment === undefined
    ? {}
    : { digest: environment.digest, sizeBytes: environment.sizeBytes, builtAt: environment.builtAt })
})

/** The fields that have a value. */
const defined = <A extends object>(fields: A) =>
  named(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof A]: Exclude<A[Key], undefined>
  }

/** Labels for people: control and invisible characters are escapes. */
const shownLabels = (labels: ImageConfig["labels"] = {}) =>
  named(Object.entries(labels).map(([name, value]) => [printable(name), printable(value)] as const))

const shownCheck = ({ test: [kind, ...words], ...times }: HealthCheck, shell: ImageConfig["shell"]) => ({
  command: kind === "CMD-SHELL" ? [...shell ?? DEFAULT_SHELL, ...words] : words,
  ...defined(times)
})

/** The parts that have a value. */
const imageSettings = (
  {
    account: _account,
    command,
    entrypoint,
    env,
    exposedPorts,
    healthCheck,
    labels,
    onBuild: _onBuild,
    shell,
    ...others
  }: ImageConfig
) => ({
  env,
  entrypoint,
  command,
  exposedPorts,
  labels: shownLabels(labels),
  ...(healthCheck === undefined ? {} : { healthCheck: shownCheck(healthCheck, shell) }),
  ...defined(others)
})

const detail = (one: EnvironmentDetail) => ({
  ...summary(one),
  ...(one.environment === undefined
    ? {}
    : { imagePath: one.environment.imagePath, kernelVersion: one.environment.kernelVersion }),
  ...(one.oci === undefined ? {} : { image: imageSettings(one.oci.config) }),
  ...(one.oci?.mirror === undefined ? {} : { mirror: one.oci.mirror }),
  packages: one.packages
})

export const listEnvironments = Effect.flatMap(
  Environments,
  ({ list }) => Effect.map(list, (all) => ({ environments: all.map(summary) }))
)

export const inspectEnvironment = (environment: string) =>
  Effect.flatMap(Environments, ({ inspect }) => Effect.map(inspect(environment, { verify: true }), detail))

/** Removes the templates of images that are no longer on this host, and adds their bytes. */
const withTemplates = <E, R>(removal: Effect.Effect<Removed, E, R>) =>
  Effect.gen(function*() {
    const environments = yield* Environments
    const { freedBytes, removed } = yield* removal
    const left = (yield* environments.list).flatMap(({ environment }) =>
      environment === undefined ? [] : [environment.digest]
    )
    const templates = yield* pruneTemplates(new Set(left))
    return {
      removed: [...removed, ...templates.map(({ name }) => `template ${name}`)],
      freedBytes: templates.reduce((sum, one) => sum + one.freedBytes, freedBytes)
    }
  })

export const removeEnvironments = (environments: ReadonlyArray<string>) =>
  withTemplates(
    Effect.flatMap(Environments, ({ remove }) => remove(environments)).pipe(Effect.tap(forgetSteps(environments)))
  )

/** Bytes of seed images that a prune keeps, and of fetched repositories. */
const keptSeedBytes = 1024 ** 3

export const pruneEnvironments = withTemplates(Effect.gen(function*() {
  const { freedBytes, removed } = yield* (yield* Environments).prune
  const seeds = yield* (yield* SeedImages).prune({ keepBytes: keptSeedBytes })
  const { cacheDir } = yield* Paths
  const repositories = yield* pruneRepositories(cacheDir, { keepBytes: keptSeedBytes })
  return {
    removed: [
      ...removed,
      ...seeds.removed.map(({ digest }) => `seed ${digest}`),
      ...repositories.removed.map((name) => `repository ${name}`)
    ],
    freedBytes: seeds.removed.reduce((sum, { bytes }) => sum + bytes, freedBytes + repositories.freedBytes)
  }
}))
