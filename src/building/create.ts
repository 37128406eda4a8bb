import { Effect, Stream } from "effect"
import { InvalidRequest } from "../contract/errors/errors.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { CreatePayload, WorkspaceEvent } from "../contract/rows/workspace-lifecycle.ts"
import { nameOfFile } from "../lib/recipe/devcontainer.ts"
import { readDockerfile } from "../lib/seeding/dockerfile.ts"
import { placeOf } from "../lib/seeding/model/packed.ts"
import { roomFor } from "../lib/vm/room.ts"
import { realPath } from "../system/files/host-path.ts"
import { withNotices } from "../system/waits/notices.ts"
import type { Notify } from "../workspace/entry/context.ts"
import { driverOf } from "../workspace/life/guest/driver.ts"
import { buildDockerfile } from "./dockerfile.ts"
import { progressTo } from "./model/notices.ts"

const wrong = (detail: string) => new InvalidRequest({ field: "dockerfile", detail })

/**
 * Builds the environment of a Dockerfile, and creates a workspace of it with a copy of the Dockerfile's directory, unless the request names
 * another seed. Steps of the last build of the same path are not repeated.
 */
export const createOfDockerfile = <E>(
  pyro: PyroService,
  payload: CreatePayload & { readonly dockerfile: string },
  create: (payload: CreatePayload) => Stream.Stream<WorkspaceEvent, E>
) => {
  const { allowRegistries, dockerfile, registryAuth, tokenHosts, ...rest } = payload
  const built = withNotices((notify: Notify) =>
    Effect.gen(function*() {
      if ((payload.devcontainer ?? payload.repoUrl ?? payload.fromSnapshot) !== undefined) {
        return yield* wrong("excludes a dev container, a repository's URL and a snapshot")
      }
      const real = realPath(dockerfile)
      if (real === undefined) return yield* wrong(`${dockerfile} is not there, or cannot be reached`)
      const found = yield* Effect.orElseSucceed(readDockerfile(real), () => undefined)
      const directory = found?.context ?? real
      yield* yield* roomFor({ ...payload, driver: yield* driverOf(payload) })
      const place = yield* placeOf(directory)
      const environment = nameOfFile("dockerfile", place, place)
      const asked = payloadOf("env.build", { name: environment, dockerfile: real, replace: true })
      yield* buildDockerfile(pyro, {
        ...asked,
        name: environment,
        dockerfile: real,
        allowHosts: payload.allowHosts ?? [],
        allowRegistries,
        option: "allow_registries",
        ...(registryAuth === undefined ? {} : { registryAuth }),
        ...(tokenHosts === undefined ? {} : { tokenHosts })
      }, progressTo(notify))
      return { _tag: "Built" as const, environment, seedPath: payload.seedPath ?? directory }
    })
  )
  return Stream.flatMap(built, (event): Stream.Stream<WorkspaceEvent, E> => {
    if (event._tag !== "Built") return Stream.make<[WorkspaceEvent]>(event)
    return create({ ...rest, environment: event.environment, seedPath: event.seedPath })
  })
}
