import { Effect, Option, Ref, Schema, Stream } from "effect"
import { EnvironmentBuildFailed, type PyroError } from "../../contract/errors/errors.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { ExecPayload } from "../../contract/rows/workspace-exec.ts"
import { FileDownloadPayload } from "../../contract/rows/workspace-file-stream.ts"
import { CreatePayload } from "../../contract/rows/workspace-lifecycle.ts"
import { BUILDER } from "../../environment/catalogue.ts"
import type { OnProgress } from "../../environment/Environments.ts"
import { BuilderMessage, builderProgram, type BuilderRequest, type MadeImage } from "../../environment/image-builder.ts"
import { appendTo, openFile } from "../../system/files/content.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import type { AskedNetwork } from "../../workspace/residents/network/policy.ts"
import { giveFile } from "./give-file.ts"
import type { BuilderLogins } from "./logins.ts"

/** Lifetime of a builder that a killed daemon left, in seconds after its last activity. */
const LEFT_SECONDS = 900

/** Marks builders among the workspaces: the reference that they work for. */
export const BUILDER_LABEL = "pyro.builder"

/** Memory of a builder in MiB. skopeo and mkfs.erofs need some 200; the rest is cache of its disk. */
const MEMORY_MIB = 1024

/** Maximum size of all that a builder holds, in MiB: layers, their images, and the result. The host's disk has only what was written. */
const DISK_MIB = 65_536

/** Maximum length of one message, in characters. */
const MAX_MESSAGE = 4_194_304

interface Building {
  readonly reference: string
  readonly request: BuilderRequest
  /** Logins of registries, whose passwords stay outside of the microVM. */
  readonly logins?: Pick<BuilderLogins, "secretHttp" | "secrets">
  /** Directory of the host whose copy is the builder's /workspace. */
  readonly context?: string
  /** Network policy of the builder. Empty: no network. */
  readonly allowHosts: ReadonlyArray<string>
  /** Private addresses that it may reach. */
  readonly allowIps?: ReadonlyArray<string>
  /** Registries whose layers this host keeps, as HOST:PORT. */
  readonly registries?: ReadonlyArray<string>
  /** New file of the host for the result. */
  readonly file: string
  readonly onProgress: OnProgress
  /** The error of what the builder refuses. */
  readonly refused?: (workspace: string, refused: Refused) => Effect.Effect<never, PyroError>
  /** Files that the request reads, by their paths in the builder. @default none */
  readonly uploads?: Readonly<Record<string, Stream.Stream<Uint8Array, PyroError>>>
}

type Refused = Extract<BuilderMessage, { readonly _tag: "Refused" }>

const failed = (reference: string, step: string, detail: string) =>
  new EnvironmentBuildFailed({ environment: reference, step, detail })

/** A builder microVM, which the Scope deletes. */
export const acquireBuilder = (
  pyro: PyroService,
  { allowHosts, allowIps = [], context, logins, onProgress, reference, registries = [] }: Omit<
    Building,
    "file" | "request"
  >
) =>
  Effect.gen(function*() {
    const asked = Schema.decodeSync(CreatePayload())({
      environment: BUILDER,
      memory_mib: MEMORY_MIB,
      disk_mib: DISK_MIB,
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
      ...(logins === undefined || logins.secretHttp.length === 0
        ? {}
        : { secrets: logins.secrets, secretHttp: logins.secretHttp })
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
interface Recipe<Last extends BuilderMessage["_tag"]> extends Pick<Building, "onProgress" | "reference" | "refused"> {
  readonly program: Uint8Array
  readonly request: unknown
  readonly last: Last
}

/** Runs a program of rootfs/image in the builder, and gives its last word. */
export const runRecipe = <Last extends BuilderMessage["_tag"]>(
  pyro: PyroService,
  workspace: string,
  { last, onProgress, program, reference, refused: errorOf, request }: Recipe<Last>
) =>
  Effect.gen(function*() {
    const payload = Schema.decodeSync(ExecPayload())({
      workspace,
      command: ["python3", "-", JSON.stringify(request)]
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
          return Effect.void
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

/** Takes a file of the builder, as bytes, and exactly as many as the builder has said. */
export const takeFile = <E>(
  pyro: PyroService,
  { path, reference, sizeBytes, workspace }: {
    readonly workspace: string
    readonly path: string
    readonly sizeBytes: number
    readonly reference: string
  },
  write: (bytes: Uint8Array) => Effect.Effect<void, E>
) =>
  Effect.gen(function*() {
    const payload = Schema.decodeSync(FileDownloadPayload())({ workspace, path })
    let bytes = 0
    yield* pyro.workspace.file.download(payload).pipe(
      Stream.runForEach((event) =>
        Effect.gen(function*() {
          if (event._tag !== "Output") return
          bytes += event.bytes.length
          if (bytes > sizeBytes) return yield* failed(reference, "image", "the result grew while pyro took it")
          yield* write(event.bytes)
        })
      )
    )
    if (bytes !== sizeBytes) return yield* failed(reference, "image", "the result did not arrive whole")
  })

/** Copies the file system to the host. */
const takeResult = (pyro: PyroService, workspace: string, { sizeBytes }: MadeImage, { file, reference }: Building) =>
  Effect.scoped(Effect.gen(function*() {
    const fd = yield* openFile(file, "wx", 0o600)
    const path = "/workspace/root.erofs"
    yield* takeFile(pyro, { workspace, path, sizeBytes, reference }, (bytes) => appendTo(fd, file, bytes))
  }))

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
    const program = yield* builderProgram
    const made = yield* runRecipe(pyro, workspace, { ...building, program, request, last: "Made" })
    building.onProgress({ step: "taking the image from the builder", fraction: 0.85 })
    yield* takeResult(pyro, workspace, made, building)
    return made
  })).pipe(
    Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(building.file)(failure)))
  )
