import { Effect, Option, type Scope, Stream } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { call, option } from "../contract/errors/next-step.ts"
import type {
  EnvironmentExportEvent,
  EnvironmentExportPayload,
  EnvironmentImportPayload
} from "../contract/rows/environment-archive.ts"
import { type BuildPayload, type PullEvent, type PullPayload } from "../contract/rows/environment.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { RunInput } from "../contract/rows/run-input.ts"
import type { CommitPayload } from "../contract/rows/workspace-commit.ts"
import { parseArchive } from "../contract/text/image-archive.ts"
import { parseReference } from "../contract/text/image-reference.ts"
import { Environments, type OnProgress } from "../lib/environment/Environments.ts"
import { Kernel } from "../lib/environment/Kernel.ts"
import { devContainerOf, environmentNameOf } from "../lib/recipe/devcontainer.ts"
import { devContainerAt } from "../lib/seeding/devcontainer-plan.ts"
import { roomFor } from "../lib/vm/room.ts"
import { withNotices } from "../system/waits/notices.ts"
import type { Changes, ChangesUnread } from "../workspace/disk/changes.ts"
import type { Notify } from "../workspace/entry/context.ts"
import { driverOf } from "../workspace/life/guest/driver.ts"
import type { HouseFailure } from "../workspace/operations/work.ts"
import { addToImage } from "./add.ts"
import { commit } from "./commit.ts"
import { buildDevContainer } from "./devcontainer/image.ts"
import { buildDockerfile } from "./dockerfile.ts"
import { summary } from "./environments.ts"
import { exportEnvironment } from "./export.ts"
import { importArchive, nameOfImport, pullArchive } from "./import.ts"
import { progressTo } from "./model/notices.ts"
import { pullImage } from "./pull.ts"

type NextVm = Pick<PullPayload, "nextDriver" | "nextMemoryMib">

/** Fails if the host has no room now for the microVM that the caller starts next. */
const demandRoomFor = ({ nextDriver, nextMemoryMib }: NextVm) =>
  nextMemoryMib === undefined
    ? Effect.void
    : Effect.gen(function*() {
      const driver = yield* driverOf({ driver: nextDriver })
      yield* yield* roomFor({ driver, memoryMib: nextMemoryMib, vcpuCount: 1 })
    })

/** Runs long work for an environment, then builds the kernel, with progress. Refuses first if the microVM that comes next has no room. */
const making = <E, R>(
  name: string,
  work: (onProgress: OnProgress, notify: Notify) => Effect.Effect<unknown, E, R>,
  next: NextVm = {}
) =>
  withNotices((notify: Notify) =>
    Effect.gen(function*() {
      const environments = yield* Environments
      const kernel = yield* Kernel
      yield* demandRoomFor(next)
      yield* work(progressTo(notify), notify)
      yield* kernel.ensureWith(progressTo(notify))
      const event: PullEvent = {
        _tag: "Ready",
        environment: summary(yield* environments.inspect(name, { verify: false }))
      }
      return event
    })
  )

/** Builds or checks an environment. */
export const pullEnvironment = (pyro: PyroService) => ({ environment, force, ...asked }: PullPayload) => {
  const archive = parseArchive(environment)
  if (archive !== undefined) {
    return making(archive.name, (onProgress) => pullArchive(pyro, archive, onProgress), asked)
  }
  const reference = parseReference(environment)
  return making(
    reference?.name ?? environment,
    (onProgress) =>
      reference === undefined
        ? Effect.flatMap(Environments, ({ pull }) => pull(environment, { force, onProgress }))
        : pullImage(pyro, reference, asked, onProgress),
    asked
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
  withNotices((notify: Notify) =>
    Effect.map(exportEnvironment(pyro, payload, progressTo(notify)), (event): EnvironmentExportEvent => event)
  )

/** Opens what a workspace changed. */
export type ChangesOf = (
  payload: { readonly workspace: string; readonly allowSecrets?: boolean | undefined },
  notify: Notify
) => Effect.Effect<Changes, ChangesUnread | HouseFailure, Scope.Scope>

/** Makes an environment of a workspace's files. */
export const commitWorkspace = (payload: CommitPayload, changesOf: ChangesOf, pyro: PyroService) =>
  making(payload.name, (onProgress, notify) => commit(pyro, payload, changesOf(payload, notify), onProgress))

/** Builds an environment of the user's own. */
export const buildEnvironment = (payload: BuildPayload, pyro: PyroService) =>
  payload.devcontainer === undefined
    ? buildNamed(payload, pyro)
    : buildOfDevContainer(pyro, { ...payload, devcontainer: payload.devcontainer })

const buildOfDevContainer = (pyro: PyroService, payload: BuildPayload & { readonly devcontainer: string }) =>
  Stream.unwrap(Effect.gen(function*() {
    const { allowHosts, buildArgs, devcontainer, dockerfile, from, npm, packages } = payload
    if ((from ?? dockerfile ?? payload.target) !== undefined || packages.length + npm.length > 0) {
      return yield* wrong(
        "devcontainer",
        "it excludes a base, a Dockerfile, its target, and packages"
      )
    }
    const known = yield* devContainerAt(devcontainer, {})
    const name = payload.name ?? environmentNameOf(known.place)
    // A name that pyro gave belongs to the file.
    const replace = payload.replace || payload.name === undefined
    const { notes } = devContainerOf(known.read, known.place, { env: [], label: undefined })
    return Stream.concat(
      Stream.fromIterable<PullEvent>(notes),
      making(
        name,
        (onProgress) =>
          buildDevContainer(
            pyro,
            known,
            { name, buildArgs, allowHosts, option: "allow_hosts", replace, auth: payload },
            onProgress
          ),
        payload
      )
    )
  }))

/** Ways to say what an environment starts from. The first has a base with what the packages need. */
const bases = (name: string, { npm, packages }: Pick<BuildPayload, "npm" | "packages">) => [
  call("Start from an environment", "env.build", {
    name,
    from: npm.length > 0 ? "debian:12-build" : "debian:12",
    ...(packages.length === 0 ? {} : { packages: [...packages] }),
    ...(npm.length === 0 ? {} : { npm: [...npm] }),
    ...(packages.length + npm.length === 0 ? { packages: ["jq"] } : {})
  }),
  option("Or name the directory of a Dockerfile", "dockerfile"),
  call("Or take the files of a workspace", "workspace.commit", { name }, "workspace")
]

const buildNamed = (payload: BuildPayload, pyro: PyroService) =>
  making(payload.name ?? "", (onProgress) =>
    Effect.gen(function*() {
      const { define, resolve } = yield* Environments
      const { dockerfile, from, name, npm, packages, replace } = payload
      if (name === undefined) return yield* wrong("name", "missing")
      if (dockerfile !== undefined) {
        if (from !== undefined || packages.length + npm.length > 0) {
          return yield* wrong("dockerfile", "it excludes a base and packages")
        }
        return yield* buildDockerfile(pyro, { ...payload, name, dockerfile }, onProgress)
      }
      if (from === undefined) {
        const detail = "is missing: an environment starts from another one, or from a Dockerfile"
        return yield* new InvalidRequest({ field: "from", detail, next: bases(name, { npm, packages }) })
      }
      const base = Option.getOrUndefined(yield* resolve(from))
      if (base?.oci !== undefined) return yield* addToImage(pyro, base, { ...payload, name }, onProgress)
      return yield* define({ name, from, packages, npm, replace }, { onProgress })
    }), payload)

const wrong = (field: string, detail: string) => new InvalidRequest({ field, detail })
