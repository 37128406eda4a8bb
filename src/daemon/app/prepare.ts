import { Effect, Stream } from "effect"
import { ofOwnWorkspace } from "../../building/model/own-workspace.ts"
import { VmFailed } from "../../contract/errors/errors.ts"
import type { PreparePayload } from "../../contract/rows/host.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import { sampleFolder } from "../../lib/seeding/model/cache.ts"

/** Lifetime of a workspace that a killed daemon may leave, in seconds. */
const LEFT_SECONDS = 60

/**
 * Makes environments ready one after the other: builds or checks the image, runs a command in a microVM, and creates and deletes a
 * workspace with a seed. Each of the last two saves its template and tells the pool what to keep ready.
 */
export const prepare = (pyro: PyroService) => ({ environments }: PreparePayload) =>
  Stream.flatMap(Stream.fromIterable([...new Set(environments)]), (environment) => prepareOne(pyro, environment))

const prepareOne = (pyro: PyroService, environment: string) =>
  pyro.env.pull(payloadOf("env.pull", { environment })).pipe(
    Stream.flatMap((event) =>
      event._tag === "Notice"
        ? Stream.make(event)
        : Stream.concat(
          Stream.concat(runOnce(pyro, environment), createOnce(pyro, environment)),
          Stream.make({ _tag: "Prepared" as const, environment: event.environment })
        )
    )
  )

const runOnce = (pyro: PyroService, environment: string) =>
  pyro.run(payloadOf("run", { environment, command: ["true"] })).pipe(
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
    const payload = { environment, seedPath, ttlSeconds: LEFT_SECONDS, git: "none" as const }
    return ofOwnWorkspace(pyro.workspace.create(payloadOf("workspace.create", payload))).pipe(
      Stream.tap((event) =>
        event._tag === "Ready"
          ? Effect.asVoid(pyro.workspace.delete(payloadOf("workspace.delete", { workspaces: [event.workspace.id] })))
          : Effect.void
      ),
      Stream.filter((event) => event._tag === "Notice")
    )
  }))
