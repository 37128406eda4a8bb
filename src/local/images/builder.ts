import { Effect, Option, Ref, Schema, Stream } from "effect"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { ExecPayload } from "../../contract/rows/workspace-exec.ts"
import { CreatePayload } from "../../contract/rows/workspace-lifecycle.ts"
import { named } from "../../contract/text/names.ts"
import { BUILDER } from "../../environment/catalogue.ts"
import { BuilderMessage, builderProgram } from "../../environment/image-builder.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { setting } from "../../system/settings/config.ts"
import { troubleText } from "../../workspace/entry/standstill.ts"
import type { AskedNetwork } from "../../workspace/residents/network/policy.ts"
import {
  type Building,
  failed,
  giveSteps,
  type Refused,
  STEPS_AFTER,
  STEPS_BEFORE,
  takeResult,
  takeSteps
} from "./builder-files.ts"
import { giveFile } from "./give-file.ts"

/** Lifetime of a builder that a killed daemon left, in seconds after its last activity. */
const LEFT_SECONDS = 900

/** Marks builders among the workspaces: the reference that they work for. */
export const BUILDER_LABEL = "pyro.builder"

/** Memory of a builder in MiB. skopeo and mkfs.erofs need some 200; the rest is cache of its disk. */
const MEMORY_MIB = 1024

/** Maximum length of one message, in characters. */
const MAX_MESSAGE = 4_194_304

const SECRETS_FOLDER = "/run/pyro-secrets"

/** The builder's files of what a build has beside its context. */
export const placesIn = (
  { secrets = {}, stepsAfter, stepsBefore }: Pick<Building, "secrets" | "stepsAfter" | "stepsBefore">
) => ({
  secrets: named(Object.keys(secrets).map((id) => [id, `${SECRETS_FOLDER}/${id}`] as const)),
  steps: {
    from: stepsBefore === undefined ? undefined : STEPS_BEFORE,
    to: stepsAfter === undefined ? undefined : STEPS_AFTER
  }
})

/** Names of workspaces' secrets have fewer letters than ids. */
const secretName = (at: number) => `BUILD_SECRET_${at}`

/** A builder microVM, which the Scope deletes. */
export const acquireBuilder = (
  pyro: PyroService,
  { allowHosts, allowIps = [], context, logins, onProgress, reference, registries = [], secrets = {} }: Omit<
    Building,
    "file" | "request"
  >
) =>
  Effect.gen(function*() {
    const asked = Schema.decodeSync(CreatePayload())({
      environment: BUILDER,
      memory_mib: MEMORY_MIB,
      disk_mib: yield* setting("PYRO_BUILDER_DISK_MIB"),
      ttl_seconds: LEFT_SECONDS,
      labels: { [BUILDER_LABEL]: reference.slice(0, 256) },
      ...(context === undefined ? {} : { seed_path: context }),
      ...(allowHosts.length === 0 ? {} : { allow_hosts: allowHosts, trust_host_certificates: true }),
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
              onProgress({ step: event.message, fraction: 0.2 * (event.fraction ?? 0) })
            }
          })
      )
    )
    const id = yield* Ref.get(made)
    return id ?? (yield* failed(reference, "builder", "its microVM did not start"))
  })

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(BuilderMessage))

/** A program of rootfs/image, its argument, and the message that it ends with. */
interface Recipe<Last extends BuilderMessage["_tag"]>
  extends Pick<Building, "onProgress" | "reference" | "refused" | "secrets">
{
  readonly program: Uint8Array
  readonly request: unknown
  readonly last: Last
}

/** Runs a program of rootfs/image in the builder, and gives its last word. */
export const runRecipe = <Last extends BuilderMessage["_tag"]>(
  pyro: PyroService,
  workspace: string,
  { last, onProgress, program, reference, refused: errorOf, request, secrets = {} }: Recipe<Last>
) =>
  Effect.gen(function*() {
    const payload = Schema.decodeSync(ExecPayload())({
      workspace,
      command: ["python3", "-", JSON.stringify(request)],
      secret_mount: Object.keys(secrets).map((id, at) => `${secretName(at)}=${SECRETS_FOLDER}/${id}`)
    })
    let rest = ""
    let stderr = ""
    let made: Extract<BuilderMessage, { readonly _tag: Last }> | undefined
    let refused: Refused | undefined
    const take = (line: string) => {
      const message = Option.getOrUndefined(decode(line))
      if (message === undefined) return failed(reference, "image", "its builder said what pyro does not understand")
      if (message._tag === "Refused") refused = message
      else if (message._tag === last) made = message as typeof made
      else if (message._tag === "Progress") {
        onProgress({ step: message.step, fraction: 0.2 + 0.6 * Math.min(Math.max(message.fraction, 0), 1) })
      }
      return Effect.void
    }
    const lines = (bytes: Uint8Array) =>
      Effect.suspend(() => {
        const parts = (rest + Buffer.from(bytes).toString("utf8")).split("\n")
        rest = parts.pop() ?? ""
        return rest.length > MAX_MESSAGE
          ? failed(reference, "image", "its builder said too much")
          : Effect.forEach(parts, take, { discard: true })
      })
    yield* pyro.workspace.exec(payload, { stdin: Stream.make(program) }).pipe(
      Stream.runForEach((event) => {
        if (event._tag !== "Output") {
          // A guest waits for room, and its caller would wait for it.
          return event._tag === "Notice" && event.message === troubleText("no-space")
            ? failed(reference, "full", "the disk of this host is full; free space, for instance with: pyro gc")
            : Effect.void
        }
        if (event.from === "stdout") return lines(event.bytes)
        return Effect.sync(() => {
          stderr = (stderr + Buffer.from(event.bytes).toString("utf8")).slice(-1000)
        })
      })
    )
    if (refused !== undefined) {
      return yield* errorOf?.(workspace, refused) ?? failed(reference, refused.kind, refused.detail)
    }
    return made ?? (yield* failed(reference, "image", `its builder ended without a result: ${stderr.trim()}`))
  })

/**
 * Makes a file system of an image in a builder microVM, and writes it to `file`. The builder has a network to the registry alone, and is
 * deleted afterwards.
 */
export const buildInMicroVm = (pyro: PyroService, building: Building) =>
  Effect.scoped(Effect.gen(function*() {
    const { onProgress, request, uploads = {} } = building
    const workspace = yield* acquireBuilder(pyro, building)
    for (const [path, bytes] of Object.entries(uploads)) {
      onProgress({ step: `giving ${path.slice(path.lastIndexOf("/") + 1)} to the builder`, fraction: 0.2 })
      yield* giveFile(pyro, { workspace, path }, bytes)
    }
    if (building.stepsBefore !== undefined) {
      building.onProgress({ step: "giving the steps of earlier builds to the builder", fraction: 0.2 })
      yield* giveSteps(pyro, workspace, building.stepsBefore)
    }
    const program = yield* builderProgram
    const made = yield* runRecipe(pyro, workspace, { ...building, program, request, last: "Made" })
    building.onProgress({ step: "taking the image from the builder", fraction: 0.85 })
    yield* takeResult(pyro, workspace, made, building)
    yield* takeSteps(pyro, workspace, made, building)
    return made
  })).pipe(
    Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(building.file)(failure)))
  )
