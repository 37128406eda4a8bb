import { type Cause, Effect, Fiber, Queue, Stream } from "effect"
import { InvalidRequest, type PyroError } from "../contract/errors/errors.ts"
import type { BuildPayload, PullEvent, PullPayload } from "../contract/rows/environment.ts"
import type { Notice } from "../contract/rows/notice.ts"
import { SeedImages } from "../disk/SeedImages.ts"
import {
  type EnvironmentDetail,
  Environments,
  type EnvironmentStatus,
  type OnProgress,
  type Removed
} from "../environment/Environments.ts"
import { Kernel } from "../environment/Kernel.ts"
import { pruneRepositories } from "../seeding/cache.ts"
import { Paths } from "../system/files/Paths.ts"
import { pruneTemplates } from "../vm/templates.ts"
import type { Root } from "../workspace/operations/Workspaces.ts"
import { diskUsage } from "./disk/usage.ts"
import { noticesTo } from "./images.ts"

const summary = ({ description, environment, name, own, state }: EnvironmentStatus) => ({
  name,
  description,
  state,
  origin: own === undefined ? "catalogue" as const : "own" as const,
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

const detail = (one: EnvironmentDetail) => ({
  ...summary(one),
  ...(one.environment === undefined
    ? {}
    : { imagePath: one.environment.imagePath, kernelVersion: one.environment.kernelVersion }),
  packages: one.packages
})

export const listEnvironments = Effect.flatMap(
  Environments,
  ({ list }) => Effect.map(list, (all) => ({ environments: all.map(summary) }))
)

export const inspectEnvironment = (environment: string) =>
  Effect.flatMap(Environments, ({ inspect }) => Effect.map(inspect(environment, { verify: true }), detail))

/** Removes what was made from images that are no longer on this host, and adds it up. */
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
      freedBytes: templates.reduce((sum, one) => sum + one.freedBytes, freedBytes),
      disk: yield* diskUsage
    }
  })

export const removeEnvironments = (environments: ReadonlyArray<string>) =>
  withTemplates(Effect.flatMap(Environments, ({ remove }) => remove(environments)))

/** Disk space that seed images may go on taking when the cache is pruned, and fetched repositories as well. */
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

/** Does something long for an environment, and makes ready what it boots with, saying how far it is. */
const making = <E, R>(name: string, work: (onProgress: OnProgress) => Effect.Effect<unknown, E, R>) =>
  Stream.unwrap(Effect.gen(function*() {
    const environments = yield* Environments
    const kernel = yield* Kernel
    const notices = yield* Queue.sliding<Notice, Cause.Done>(64)
    const ready = yield* Effect.gen(function*() {
      yield* work(noticesTo(notices))
      yield* kernel.ensureWith(noticesTo(notices))
      return summary(yield* environments.inspect(name, { verify: false }))
    }).pipe(Effect.ensuring(Queue.end(notices)), Effect.forkScoped)
    return Stream.concat(
      Stream.fromQueue(notices),
      Stream.map(Stream.fromEffect(Fiber.join(ready)), (environment): PullEvent => ({ _tag: "Ready", environment }))
    )
  }))

/** Builds or checks an environment. */
export const pullEnvironment = ({ environment, force }: PullPayload) =>
  making(
    environment,
    (onProgress) => Effect.flatMap(Environments, ({ pull }) => pull(environment, { force, onProgress }))
  )

/** Builds an environment of the user's own; `rootOf` finds the workspace that it may be made from. */
export const buildEnvironment = (
  { from, fromWorkspace, name, npm, packages, replace }: BuildPayload,
  rootOf: (workspace: string) => Effect.Effect<Root, PyroError>
) =>
  making(name, (onProgress) =>
    Effect.gen(function*() {
      const { define, keep } = yield* Environments
      if (fromWorkspace === undefined) {
        if (from === undefined) {
          return yield* wrong("from", "say what to start from: --from with --packages or --npm, or --from-workspace")
        }
        return yield* define({ name, from, packages, npm, replace }, { onProgress })
      }
      if (from !== undefined || packages.length + npm.length > 0) {
        return yield* wrong(
          "from_workspace",
          "it excludes --from, --packages and --npm; install packages in the workspace"
        )
      }
      const { archive, environment, id } = yield* rootOf(fromWorkspace)
      return yield* keep({ name, workspace: id, from: environment, replace }, archive, { onProgress })
    }))

const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })
