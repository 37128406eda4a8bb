import { Effect, Ref, Stream } from "effect"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { named } from "../../contract/text/names.ts"
import type { ResultDisk } from "../../lib/disk/result-disk.ts"
import { Environments, type OnProgress } from "../../lib/environment/Environments.ts"
import { BUILDER } from "../../lib/environment/model/catalogue.ts"
import { roomFor } from "../../lib/vm/room.ts"
import { coreCount } from "../../system/processes/host.ts"
import { setting } from "../../system/settings/config.ts"
import { driverOf } from "../../workspace/life/guest/driver.ts"
import type { AskedWorkspace } from "../../workspace/life/verbs/create.ts"
import type { AskedNetwork } from "../../workspace/residents/policy/policy.ts"
import { ofOwnWorkspace } from "../model/own-workspace.ts"
import { type Building, failed, secretName } from "./files.ts"

/** Lifetime of a builder that a killed daemon left, in seconds after its last activity. */
const LEFT_SECONDS = 900

/** Memory of a builder in MiB. skopeo and mkfs.erofs need some 200; the rest is cache of its disk. */
const MEMORY_MIB = 1024

/** Most processors of a builder: a layer is decompressed, hashed and written by a program each, while the next one may come. */
const MOST_PROCESSORS = 4

const processors = () => Math.min(coreCount(), MOST_PROCESSORS)

/** Completed shares of the work when its environment and its microVM are there. */
const BUILT = 0.15
export const STARTED = 0.2

/** The environment of builders. */
export const ensureBuilder = (onProgress: OnProgress) =>
  Effect.gen(function*() {
    const { ensure } = yield* Environments
    return yield* ensure(BUILDER, {
      beforeBuild: yield* roomFor({ driver: yield* driverOf({}), memoryMib: MEMORY_MIB, vcpuCount: processors() }),
      onProgress: ({ fraction, step }) =>
        onProgress({
          step: `building the environment ${BUILDER}, once for all images: ${step}`,
          fraction: BUILT * fraction
        })
    })
  })

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
    result,
    secrets = {}
  }: Omit<Building, "file" | "request"> & { readonly result?: ResultDisk | undefined }
) =>
  Effect.gen(function*() {
    yield* ensureBuilder(onProgress)
    const asked = payloadOf("workspace.create", {
      environment: BUILDER,
      memoryMib: MEMORY_MIB,
      vcpuCount: processors(),
      diskMib: yield* setting("PYRO_BUILDER_DISK_MIB"),
      ttlSeconds: LEFT_SECONDS,
      ...(context === undefined ? {} : { seedPath: context }),
      ...(allowHosts.length === 0 ? {} : { allowHosts, trustHostCertificates: !isLoopback }),
      ...(allowIps.length === 0 ? {} : { allowIps })
    })
    // No request of a person has these fields.
    const payload: AskedWorkspace & AskedNetwork = {
      ...asked,
      ...(result === undefined ? {} : { result }),
      builder: reference.slice(0, 256),
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
        (id) =>
          id === undefined
            ? Effect.void
            : Effect.ignore(pyro.workspace.delete(payloadOf("workspace.delete", { workspaces: [id] })))
      )
    )
    yield* ofOwnWorkspace(pyro.workspace.create(payload)).pipe(
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
