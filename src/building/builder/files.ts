import { Effect, Stream } from "effect"
import {
  EnvironmentBuildFailed,
  FileRefused,
  type ImagePullFailed,
  type InvalidConfiguration,
  type NoSpace,
  type StateDirectoryUnusable
} from "../../contract/errors/errors.ts"
import type { NextStep } from "../../contract/errors/next-step.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { Secrets } from "../../contract/rows/secret-fields.ts"
import { named } from "../../contract/text/names.ts"
import type { OnProgress } from "../../lib/environment/Environments.ts"
import type { BuilderMessage, BuilderRequest, MadeImage } from "../../lib/environment/model/image-builder.ts"
import { openFile, openUnfollowed } from "../../system/files/content.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { sparseFile } from "../../system/files/sparse-write.ts"
import { setting } from "../../system/settings/config.ts"
import type { ChangesLost } from "../../workspace/disk/changes.ts"
import { ofOwnWorkspace } from "../model/own-workspace.ts"
import type { BuilderLogins } from "../registry/logins.ts"
import { bytesOfFile, counting, type FileUnreadable, giveFile, type Upload } from "./give-file.ts"

interface StepsAfter {
  /** New file of the host. */
  readonly file: string
  readonly mostBytes: number
  /** Moves the whole file to where the next build finds it. */
  readonly keep: Effect.Effect<void, FileFailed | InvalidConfiguration | NoSpace | StateDirectoryUnusable>
}

/** Work of one builder. */
export interface Building {
  readonly reference: string
  readonly request: BuilderRequest
  /** Logins of registries, whose passwords stay outside of the microVM. */
  readonly logins?: Pick<BuilderLogins, "secretHttp" | "secrets">
  /** Directory of the host whose copy is the builder's /workspace. */
  readonly context?: string
  /** Network policy of the builder. Empty: no network. */
  readonly allowHosts: ReadonlyArray<string>
  /** The network has services of this host alone, whose certificates nobody checks. So the builder needs no authorities. @default false */
  readonly isLoopback?: boolean
  /** Private addresses that it may reach. */
  readonly allowIps?: ReadonlyArray<string>
  /** Registries whose layers this host keeps, as HOST:PORT. */
  readonly registries?: ReadonlyArray<string>
  /** Secrets by their ids. The builder has them while it works, in files of its memory. @default none */
  readonly secrets?: Secrets | undefined
  /** File of the host: steps of earlier builds, which the builder gets as `STEPS_BEFORE`. @default none */
  readonly stepsBefore?: string | undefined
  /** Target of the steps of this build, which the builder leaves as `STEPS_AFTER`. @default they are not kept */
  readonly stepsAfter?: StepsAfter | undefined
  /** File of the host that the result begins with. @default the modules of the guests' kernel, where the result has them first */
  readonly base?: string | undefined
  /** New file of the host for the result. */
  readonly file: string
  readonly onProgress: OnProgress
  /** Images that the files name by variables, whose registries nobody knows before the build. @default none */
  readonly unknownImages?: ReadonlyArray<string>
  /** The error of a refusal of the builder. */
  readonly refused?: (
    workspace: string,
    refused: Refused
  ) => Effect.Effect<never, ImagePullFailed | EnvironmentBuildFailed>
  /** Files that the request reads, by their paths in the builder. @default none */
  readonly uploads?: Readonly<Record<string, Upload<FileUnreadable | ChangesLost>>>
}

export type Refused = Extract<BuilderMessage, { readonly _tag: "Refused" }>

const STEPS_BEFORE = "/workspace/.pyro-steps-before"
const STEPS_AFTER = "/workspace/.pyro-steps-after"

export const SECRETS_FOLDER = "/run/pyro-secrets"

/** Files of the builder with the parts of a build beside its context. */
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
export const secretName = (at: number) => `BUILD_SECRET_${at}`

export const failed = (reference: string, step: string, detail: string, next?: ReadonlyArray<NextStep>) =>
  new EnvironmentBuildFailed({ environment: reference, step, detail, ...(next === undefined ? {} : { next }) })

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
    const payload = payloadOf("workspace.file.download", { workspace, path })
    let bytes = 0
    yield* ofOwnWorkspace(pyro.workspace.file.download(payload)).pipe(
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
  }).pipe(
    // Its message names a secret of the builder and an option that a build does not have.
    Effect.mapError((failure) =>
      failure instanceof FileRefused && failure.reason === "secret"
        ? failed(reference, "secret", "the image has the value of a secret; leave the value out of the image")
        : failure
    )
  )

/** Copies the file system to the host. */
export const takeResult = (
  pyro: PyroService,
  workspace: string,
  { sizeBytes }: MadeImage,
  { file, onProgress, reference }: Building
) =>
  Effect.scoped(Effect.gen(function*() {
    // Programs of the build may say anything.
    const mostBytes = (yield* setting("PYRO_BUILDER_DISK_MIB")) * 1024 * 1024
    if (sizeBytes <= 0 || sizeBytes > mostBytes) {
      return yield* failed(reference, "image", `its builder made an image of ${sizeBytes} bytes`)
    }
    const target = sparseFile(yield* openFile(file, "wx", 0o600), file)
    const path = "/workspace/root.erofs"
    const passed = counting({ step: "taking the image from the builder", sizeBytes, from: 0.85, to: 0.95 }, onProgress)
    yield* takeFile(pyro, { workspace, path, sizeBytes, reference }, (bytes) => {
      passed(bytes)
      return target.write(bytes)
    })
    yield* target.end
  }))

/** Gives the builder the steps of earlier builds. Its programs may have made them, so they are bytes to this host. */
export const giveSteps = (pyro: PyroService, workspace: string, file: string) =>
  Effect.scoped(Effect.gen(function*() {
    const fd = yield* openUnfollowed(file)
    yield* giveFile(pyro, { path: STEPS_BEFORE, workspace }, bytesOfFile(fd, file))
  }))

/** Takes the steps of a build, also those before the one that failed. Steps that cannot be kept change no result. */
export const takeSteps = (
  pyro: PyroService,
  workspace: string,
  { stepsBytes }: Pick<MadeImage, "stepsBytes">,
  { onProgress, reference, stepsAfter }: Building
) =>
  Effect.gen(function*() {
    if (stepsAfter === undefined || stepsBytes === undefined || stepsBytes > stepsAfter.mostBytes) return
    const { file, keep } = stepsAfter
    onProgress({ step: "keeping the steps", fraction: 0.95 })
    yield* Effect.scoped(Effect.gen(function*() {
      const target = sparseFile(yield* openFile(file, "wx", 0o600), file)
      yield* takeFile(pyro, { path: STEPS_AFTER, reference, sizeBytes: stepsBytes, workspace }, target.write)
      yield* target.end
    }))
    yield* keep
  }).pipe(
    Effect.catch(({ message }) => Effect.logWarning(`the steps of ${reference} are not kept: ${message}`))
  )
