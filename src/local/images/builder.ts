import { Effect, Ref, Schema, Stream } from "effect"
import { ImagePullFailed } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { CreatePayload } from "../../contract/rows/workspace-lifecycle.ts"
import { parseReference } from "../../contract/text/image-reference.ts"
import { named } from "../../contract/text/names.ts"
import { BUILDER } from "../../environment/catalogue.ts"
import { Environments } from "../../environment/Environments.ts"
import { builderProgram } from "../../environment/image-builder.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { coreCount } from "../../system/processes/host.ts"
import { setting } from "../../system/settings/config.ts"
import type { AskedNetwork } from "../../workspace/residents/network/policy.ts"
import { type Building, failed, giveSteps, type Refused, secretName, takeResult, takeSteps } from "./builder-files.ts"
import { counting, giveFile } from "./give-file.ts"
import { runRecipe } from "./run-recipe.ts"

/** Lifetime of a builder that a killed daemon left, in seconds after its last activity. */
const LEFT_SECONDS = 900

/** Marks builders among the workspaces: the reference that they work for. */
export const BUILDER_LABEL = "pyro.builder"

/** Memory of a builder in MiB. skopeo and mkfs.erofs need some 200; the rest is cache of its disk. */
const MEMORY_MIB = 1024

/** Most processors of a builder: a layer is decompressed, hashed and written by a program each, while the next one may come. */
const MOST_PROCESSORS = 4

/** Completed shares of the work when its environment, its microVM and its files are there. */
const BUILT = 0.15
const STARTED = 0.2
const UPLOADED = 0.5

/** A builder microVM, which the Scope deletes. */
export const acquireBuilder = (
  pyro: PyroService,
  {
    allowHosts,
    allowIps = [],
    context,
    isLoopback = false,
    logins,
    onProgress,
    reference,
    registries = [],
    secrets = {}
  }: Omit<Building, "file" | "request">
) =>
  Effect.gen(function*() {
    const { ensure } = yield* Environments
    yield* ensure(BUILDER, {
      onProgress: ({ fraction, step }) =>
        onProgress({
          step: `building the environment ${BUILDER}, once for all images: ${step}`,
          fraction: BUILT * fraction
        })
    })
    const asked = Schema.decodeSync(CreatePayload())({
      environment: BUILDER,
      memory_mib: MEMORY_MIB,
      vcpu_count: Math.min(coreCount(), MOST_PROCESSORS),
      disk_mib: yield* setting("PYRO_BUILDER_DISK_MIB"),
      ttl_seconds: LEFT_SECONDS,
      labels: { [BUILDER_LABEL]: reference.slice(0, 256) },
      ...(context === undefined ? {} : { seed_path: context }),
      ...(allowHosts.length === 0 ? {} : { allow_hosts: allowHosts, trust_host_certificates: !isLoopback }),
      ...(allowIps.length === 0 ? {} : { allow_ips: allowIps })
    })
    // No request of a person has this field.
    const payload: typeof asked & AskedNetwork = {
      ...asked,
      imageRegistries: registries,
      ...(logins === undefined || logins.secretHttp.length === 0 ? {} : { secretHttp: logins.secretHttp }),
      secrets: named([
        ...Object.entries(logins?.secrets ?? {}),
        ...Object.values(secrets).map((value, at) => [secretName(at), value] as const)
      ])
    }
    const made = yield* Ref.make<string | undefined>(undefined)
    yield* Effect.addFinalizer(() =>
      Effect.flatMap(
        Ref.get(made),
        (id) => id === undefined ? Effect.void : Effect.ignore(pyro.workspace.delete({ workspaces: [id], all: false }))
      )
    )
    yield* pyro.workspace.create(payload).pipe(
      Stream.runForEach((event) =>
        event._tag === "Ready"
          ? Ref.set(made, event.workspace.id)
          : Effect.sync(() => {
            if (event._tag === "Notice" && event.level === "progress") {
              onProgress({ step: event.message, fraction: BUILT + (STARTED - BUILT) * (event.fraction ?? 0) })
            }
          })
      )
    )
    const id = yield* Ref.get(made)
    return id ?? (yield* failed(reference, "builder", "its microVM did not start"))
  })

/** The error of a build that the builder refused. A base whose registry fell silent was not pulled, and all else is of the build. */
const buildFailed = (reference: string, { detail, image = "", kind }: Refused) =>
  kind === "stalled"
    ? new ImagePullFailed({ image: parseReference(image)?.name ?? reference, reason: kind, detail })
    : failed(reference, kind, detail)

/**
 * Makes a file system of an image in a builder microVM, and writes it to `file`. The builder has a network to the registry alone, and is
 * deleted afterwards.
 */
export const buildInMicroVm = (pyro: PyroService, building: Building) =>
  Effect.scoped(Effect.gen(function*() {
    const { onProgress, registries = [], uploads = {} } = building
    const request = registries.length === 0
      ? building.request
      : { ...building.request, stallSeconds: yield* setting("PYRO_PULL_STALL_SECONDS") }
    const workspace = yield* acquireBuilder(pyro, building)
    const files = Object.entries(uploads)
    const share = (UPLOADED - STARTED) / files.length
    for (const [at, [path, { bytes, sizeBytes }]] of files.entries()) {
      const from = STARTED + share * at
      const step = `giving ${path.slice(path.lastIndexOf("/") + 1)} to the builder`
      const passed = counting({ step, sizeBytes, from, to: from + share }, onProgress)
      yield* giveFile(pyro, { workspace, path }, Stream.tap(bytes, (piece) => Effect.sync(() => passed(piece))))
    }
    if (building.stepsBefore !== undefined) {
      building.onProgress({ step: "giving the steps of earlier builds to the builder", fraction: STARTED })
      yield* giveSteps(pyro, workspace, building.stepsBefore)
    }
    const program = yield* builderProgram
    const made = yield* runRecipe(pyro, workspace, {
      ...building,
      onProgress: files.length === 0 ?
        onProgress :
        ({ fraction, step }) => onProgress({ step, fraction: Math.max(UPLOADED, fraction) }),
      program,
      request,
      last: "Made",
      refused: (at, refused) =>
        Effect.andThen(
          takeSteps(pyro, at, refused, building),
          building.refused?.(at, refused) ?? buildFailed(building.reference, refused)
        )
    })
    yield* takeResult(pyro, workspace, made, building)
    yield* takeSteps(pyro, workspace, made, building)
    return made
  })).pipe(
    Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(building.file)(failure)))
  )
