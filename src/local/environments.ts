import { type Cause, Effect, Fiber, Option, Queue, Schema, type Scope, Stream } from "effect"
import { InvalidRequest, type PyroError, VmFailed } from "../contract/errors/errors.ts"
import type {
  EnvironmentExportEvent,
  EnvironmentExportPayload,
  EnvironmentImportPayload
} from "../contract/rows/environment-archive.ts"
import { type BuildPayload, type PullEvent, PullPayload } from "../contract/rows/environment.ts"
import type { PrepareEvent, PreparePayload } from "../contract/rows/host.ts"
import type { Notice } from "../contract/rows/notice.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { RunInput } from "../contract/rows/run-input.ts"
import { RunPayload } from "../contract/rows/run.ts"
import type { CommitPayload } from "../contract/rows/workspace-commit.ts"
import { CreatePayload } from "../contract/rows/workspace-lifecycle.ts"
import { parseArchive } from "../contract/text/image-archive.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import { SeedImages } from "../disk/SeedImages.ts"
import { devContainerOf, environmentNameOf } from "../environment/devcontainer.ts"
import {
  type EnvironmentDetail,
  Environments,
  type EnvironmentStatus,
  type OnProgress,
  type Removed
} from "../environment/Environments.ts"
import type { ImageConfig } from "../environment/image-builder.ts"
import { Kernel } from "../environment/Kernel.ts"
import { pruneRepositories, sampleFolder } from "../seeding/cache.ts"
import type { PrepareServices } from "../seeding/request.ts"
import { Paths } from "../system/files/Paths.ts"
import { pruneTemplates } from "../vm/templates.ts"
import type { Changes } from "../workspace/disk/changes.ts"
import type { Root } from "../workspace/operations/Workspaces.ts"
import { diskUsage } from "./disk/usage.ts"
import { addToImage } from "./images/add.ts"
import { commit } from "./images/commit.ts"
import { buildDevContainer, devContainerAt } from "./images/devcontainer.ts"
import { buildDockerfile } from "./images/dockerfile.ts"
import { exportEnvironment } from "./images/export.ts"
import { importArchive, nameOfImport, pullArchive } from "./images/import.ts"
import { pullImage } from "./images/pull.ts"
import { forgetSteps } from "./images/steps.ts"

/** Progress as notices. Never waits: the reader of the notices may be slow, or gone. */
export const noticesTo = (notices: Queue.Enqueue<Notice, Cause.Done>): OnProgress => ({ fraction, step }) =>
  void Queue.offerUnsafe(notices, { _tag: "Notice", level: "progress", message: step, fraction })

/** The kernel, and the environment of a name. Builds them if they are absent. */
export const ensureImages = (environment: string, onProgress: OnProgress) =>
  Effect.gen(function*() {
    const environments = yield* Environments
    const kernel = yield* Kernel
    const image = yield* environments.ensure(environment, { onProgress })
    return { environment: image, kernel: yield* kernel.ensureWith(onProgress) }
  })

const summary = ({ description, environment, name, oci, own, state }: EnvironmentStatus) => ({
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

/** The parts that have a value. */
const imageSettings = (
  { command, entrypoint, env, exposedPorts, stopSignal, user, workingDirectory }: ImageConfig
) => ({
  env,
  entrypoint,
  command,
  exposedPorts,
  ...(user === undefined ? {} : { user }),
  ...(workingDirectory === undefined ? {} : { workingDirectory }),
  ...(stopSignal === undefined ? {} : { stopSignal })
})

const detail = (one: EnvironmentDetail) => ({
  ...summary(one),
  ...(one.environment === undefined
    ? {}
    : { imagePath: one.environment.imagePath, kernelVersion: one.environment.kernelVersion }),
  ...(one.oci === undefined ? {} : { image: imageSettings(one.oci.config) }),
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
      freedBytes: templates.reduce((sum, one) => sum + one.freedBytes, freedBytes),
      disk: yield* diskUsage
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

/** Runs long work with progress, whose result is the last event. */
const noticing = <A, E, R>(work: (notices: Queue.Enqueue<Notice, Cause.Done>) => Effect.Effect<A, E, R>) =>
  Stream.unwrap(Effect.gen(function*() {
    const notices = yield* Queue.sliding<Notice, Cause.Done>(64)
    const done = yield* work(notices).pipe(Effect.ensuring(Queue.end(notices)), Effect.forkScoped)
    return Stream.concat<A | Notice, E, never, A | Notice, E, never>(
      Stream.fromQueue(notices),
      Stream.fromEffect(Fiber.join(done))
    )
  }))

/** Runs long work for an environment, then builds the kernel, with progress. */
const making = <E, R>(
  name: string,
  work: (onProgress: OnProgress, notify: (notice: Notice) => void) => Effect.Effect<unknown, E, R>
) =>
  noticing((notices) =>
    Effect.gen(function*() {
      const environments = yield* Environments
      const kernel = yield* Kernel
      yield* work(noticesTo(notices), (notice) => void Queue.offerUnsafe(notices, notice))
      yield* kernel.ensureWith(noticesTo(notices))
      const event: PullEvent = {
        _tag: "Ready",
        environment: summary(yield* environments.inspect(name, { verify: false }))
      }
      return event
    })
  )

/** Builds or checks an environment. */
export const pullEnvironment = (pyro: PyroService) => ({ environment, force, ...hosts }: PullPayload) => {
  const archive = parseArchive(environment)
  if (archive !== undefined) return making(archive.name, (onProgress) => pullArchive(pyro, archive, onProgress))
  const reference = parseReference(environment)
  return making(
    reference?.name ?? environment,
    (onProgress) =>
      reference === undefined
        ? Effect.flatMap(Environments, ({ pull }) => pull(environment, { force, onProgress }))
        : pullImage(pyro, reference, hosts, onProgress)
  )
}

/** Makes an environment of an image in an archive. */
export const importEnvironment = (pyro: PyroService) => (payload: EnvironmentImportPayload, input?: RunInput) =>
  Stream.unwrap(Effect.map(
    nameOfImport(payload),
    (name) => making(name, (onProgress) => importArchive(pyro, name, payload, input, onProgress))
  ))

/** Writes an environment as an archive of an image. */
export const exportedEnvironment = (pyro: PyroService) => (payload: EnvironmentExportPayload) =>
  noticing((notices) =>
    Effect.map(exportEnvironment(pyro, payload, noticesTo(notices)), (event): EnvironmentExportEvent => event)
  )

/** Opens what a workspace changed. */
export type ChangesOf = (
  payload: { readonly workspace: string; readonly allowSecrets?: boolean | undefined },
  notify: (notice: Notice) => void
) => Effect.Effect<Changes, PyroError, Scope.Scope>

/** Makes an environment of a workspace's files. */
export const commitWorkspace = (payload: CommitPayload, changesOf: ChangesOf, pyro: PyroService) =>
  making(payload.name, (onProgress, notify) => commit(pyro, payload, changesOf(payload, notify), onProgress))

interface Sources {
  /** Finds the workspace whose root becomes the image. */
  readonly rootOf: (workspace: string) => Effect.Effect<Root, PyroError>
  readonly changesOf: ChangesOf
}

/** Builds an environment of the user's own. */
export const buildEnvironment = (payload: BuildPayload, sources: Sources, pyro: PyroService) =>
  payload.devcontainer === undefined
    ? buildNamed(payload, sources, pyro)
    : buildOfDevContainer(pyro, { ...payload, devcontainer: payload.devcontainer })

const buildOfDevContainer = (pyro: PyroService, payload: BuildPayload & { readonly devcontainer: string }) =>
  Stream.unwrap(Effect.gen(function*() {
    const { allowHosts, buildArgs, devcontainer, dockerfile, from, fromWorkspace, npm, packages } = payload
    if ((from ?? fromWorkspace ?? dockerfile ?? payload.target) !== undefined || packages.length + npm.length > 0) {
      return yield* wrong(
        "devcontainer",
        "it excludes --from, --from-workspace, --dockerfile, --target, --packages and --npm"
      )
    }
    const known = yield* devContainerAt(devcontainer, {})
    const name = payload.name ?? environmentNameOf(known.place)
    // A name that pyro gave belongs to the file.
    const replace = payload.replace || payload.name === undefined
    const { notes } = devContainerOf(known.read, known.place, { env: [], label: undefined })
    return Stream.concat(
      Stream.fromIterable(notes.map((message): PullEvent => ({ _tag: "Notice", level: "warning", message }))),
      making(
        name,
        (onProgress) =>
          buildDevContainer(pyro, known, { name, buildArgs, allowHosts, replace, auth: payload }, onProgress)
      )
    )
  }))

const buildNamed = (payload: BuildPayload, { changesOf, rootOf }: Sources, pyro: PyroService) =>
  making(payload.name ?? "", (onProgress, notify) =>
    Effect.gen(function*() {
      const { define, keep, resolve } = yield* Environments
      const { dockerfile, from, fromWorkspace, name, npm, packages, replace } = payload
      if (name === undefined) return yield* wrong("name", "missing")
      if (dockerfile !== undefined) {
        if ((from ?? fromWorkspace) !== undefined || packages.length + npm.length > 0) {
          return yield* wrong("dockerfile", "it excludes --from, --from-workspace, --packages and --npm")
        }
        return yield* buildDockerfile(pyro, { ...payload, name, dockerfile }, onProgress)
      }
      if (fromWorkspace === undefined) {
        if (from === undefined) {
          return yield* wrong("from", "say what to start from: --from with --packages or --npm, or --from-workspace")
        }
        const base = Option.getOrUndefined(yield* resolve(from))
        if (base?.oci !== undefined) return yield* addToImage(pyro, base, { ...payload, name }, onProgress)
        return yield* define({ name, from, packages, npm, replace }, { onProgress })
      }
      if (from !== undefined || packages.length + npm.length > 0) {
        return yield* wrong(
          "from_workspace",
          "it excludes --from, --packages and --npm; install packages in the workspace"
        )
      }
      const { archive, environment, id } = yield* rootOf(fromWorkspace)
      if (Option.exists(yield* resolve(environment), ({ oci }) => oci !== undefined)) {
        // It may have no tar.
        return yield* commit(
          pyro,
          { name, replace },
          changesOf({ workspace: id, allowSecrets: true }, notify),
          onProgress
        )
      }
      return yield* keep({ name, workspace: id, from: environment, replace }, archive, { onProgress })
    }))

const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })

/** Lifetime of a workspace that a killed daemon may leave, in seconds. */
const LEFT_SECONDS = 60

/**
 * Makes environments ready one after the other: builds or checks the image, runs a command in a microVM, and creates and deletes a
 * workspace with a seed. Each of the last two saves its template and tells the pool what to keep ready.
 */
export const prepare = (pyro: PyroService) => ({ environments }: PreparePayload) =>
  Stream.flatMap(Stream.fromIterable([...new Set(environments)]), (environment) => prepareOne(pyro, environment))

const prepareOne = (pyro: PyroService, environment: string) =>
  pyro.env.pull(Schema.decodeSync(PullPayload())({ environment })).pipe(
    Stream.flatMap((event): Stream.Stream<PrepareEvent, PyroError, PrepareServices> =>
      event._tag === "Notice"
        ? Stream.make(event)
        : Stream.concat(
          Stream.concat(runOnce(pyro, environment), createOnce(pyro, environment)),
          Stream.make({ _tag: "Prepared" as const, environment: event.environment })
        )
    )
  )

const runOnce = (pyro: PyroService, environment: string): Stream.Stream<Notice, PyroError> =>
  pyro.run(Schema.decodeSync(RunPayload())({ environment, command: ["true"] })).pipe(
    Stream.tap((event) =>
      event._tag === "Exited" && event.status !== 0
        ? new VmFailed({ step: "run", detail: `true exited with ${event.status} in ${environment}`, consoleTail: "" })
        : Effect.void
    ),
    Stream.filter((event) => event._tag === "Notice")
  )

const createOnce = (pyro: PyroService, environment: string) =>
  Stream.unwrap(Effect.gen(function*() {
    const seedPath = yield* sampleFolder
    const payload = { environment, seed_path: seedPath, ttl_seconds: LEFT_SECONDS, git: "none" as const }
    return pyro.workspace.create(Schema.decodeSync(CreatePayload())(payload)).pipe(
      Stream.tap((event) =>
        event._tag === "Ready"
          ? Effect.asVoid(pyro.workspace.delete({ workspaces: [event.workspace.id], all: false }))
          : Effect.void
      ),
      Stream.filter((event) => event._tag === "Notice")
    )
  }))
