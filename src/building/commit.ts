import { type Cause, Effect, Option, Queue, type Scope, Stream } from "effect"
import type { PyroService } from "../contract/rows/Pyro.ts"
import { Environments, type OnProgress, within } from "../lib/environment/Environments.ts"
import { configOf } from "../lib/environment/image-export.ts"
import { openFile } from "../system/files/content.ts"
import { toHostErrorOf } from "../system/files/failure.ts"
import { nowIso } from "../system/waits/time.ts"
import type { Changes, ChangesLost } from "../workspace/disk/changes.ts"
import { buildInMicroVm } from "./builder/builder.ts"
import { uploadOfFile } from "./builder/give-file.ts"

/** Pieces that the reader of the workspace may be ahead of the builder. */
const AHEAD = 16

/** The configuration of the base, with what commands of the workspace have. */
const committedConfig = (
  base: Parameters<typeof configOf>[0],
  { cwd, env = {}, user, workspaceUser }: Changes["settings"]
) => {
  const config = configOf(base)
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const User = user ?? (workspaceUser === "root" ? undefined : workspaceUser)
  return {
    ...config,
    // The variables of an image are among those of its workspaces.
    Env: base.oci === undefined ? [...config["Env"] as ReadonlyArray<string>, ...own] : own,
    WorkingDir: cwd,
    ...(User === undefined ? {} : { User })
  }
}

/** The archive as a stream, with a VM that ends with it. */
const streamOf = ({ archive }: Changes) =>
  Stream.unwrap(Effect.gen(function*() {
    const pieces = yield* Queue.bounded<Uint8Array, ChangesLost | Cause.Done>(AHEAD)
    yield* archive((bytes) => Effect.asVoid(Queue.offer(pieces, bytes))).pipe(Queue.into(pieces), Effect.forkScoped)
    return Stream.fromQueue(pieces)
  }))

interface Commit {
  readonly name: string
  readonly replace: boolean
  readonly workspaceAs?: string | undefined
}

/** Makes an environment of a workspace's changes over its environment. */
export const commit = <E>(
  pyro: PyroService,
  { name, replace, workspaceAs }: Commit,
  open: Effect.Effect<Changes, E, Scope.Scope>,
  onProgress: OnProgress
) =>
  Effect.scoped(Effect.gen(function*() {
    onProgress({ step: "reading the workspace", fraction: 0.05 })
    const changes = yield* open
    const { environment, id, settings } = changes
    const { keepImage, resolve } = yield* Environments
    const base = Option.getOrUndefined(yield* Effect.orElseSucceed(resolve(environment.name), () => Option.none()))
    const fd = yield* openFile(environment.imagePath, "r").pipe(
      Effect.mapError(toHostErrorOf(environment.imagePath))
    )
    const upload = yield* uploadOfFile(fd, environment.imagePath)
    const now = yield* nowIso
    const config = committedConfig({ oci: base?.oci }, settings)
    yield* keepImage(name, (file) =>
      buildInMicroVm(pyro, {
        reference: name,
        request: { architecture: "amd64", commit: { id: `${id} ${now}`, config, workspaceAs } },
        allowHosts: [],
        registries: [],
        uploads: {
          "/workspace/base.erofs": upload,
          "/workspace/changes.tar": { bytes: streamOf(changes) }
        },
        file,
        onProgress: within(onProgress, 0.05, 1)
      }), { workspace: id, from: environment.name, replace })
  }))
