import { Effect, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import { payloadOf } from "../../contract/rows/payload-of.ts"
import type { PyroService } from "../../contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import type { CreatePayload, WorkspaceEvent } from "../../contract/rows/workspace-lifecycle.ts"
import { Environments, type OnProgress } from "../../lib/environment/Environments.ts"
import {
  type DevContainer,
  devContainerOf,
  environmentNameOf,
  type LifecycleSteps
} from "../../lib/recipe/devcontainer.ts"
import { devContainerAt, type KnownDevContainer, planned } from "../../lib/seeding/devcontainer-plan.ts"
import { roomFor } from "../../lib/vm/room.ts"
import { withNotices } from "../../system/waits/notices.ts"
import type { Notify } from "../../workspace/entry/context.ts"
import { driverOf } from "../../workspace/life/guest/driver.ts"
import { progressTo } from "../model/notices.ts"
import { buildDevContainer } from "./image.ts"
import { runSteps } from "./lifecycle.ts"

/** Operations on workspaces that a creation uses. */
interface Workspaces<E, E2> {
  readonly create: (payload: CreatePayload) => Stream.Stream<WorkspaceEvent, E>
  /** Keeps the commands for starts and resets. */
  readonly remember: (workspace: string, steps: LifecycleSteps) => Effect.Effect<unknown, E2>
}

/** The environment that means "none was named", because the field has a default. */
const UNNAMED = "debian:12"

/** Fields about the images of a dev container, without one: no part of a creation would use them. */
export const unusedLogins = (
  { allowRegistries, devcontainer, registryAuth, tokenHosts }: Pick<
    CreatePayload,
    "allowRegistries" | "devcontainer" | "registryAuth" | "tokenHosts"
  >
): InvalidRequest | undefined =>
  devcontainer !== undefined || (registryAuth ?? tokenHosts ?? allowRegistries) === undefined
    ? undefined
    : new InvalidRequest({
      field: registryAuth !== undefined
        ? "registry_auth"
        : tokenHosts !== undefined
        ? "token_hosts"
        : "allow_registries",
      detail:
        "is for the images of a dev container: a creation pulls no other image. Pull the image first, with the same login: env.pull"
    })

const demandAlone = ({ fromSnapshot, repoUrl }: CreatePayload) =>
  (repoUrl ?? fromSnapshot) === undefined ? Effect.void : new InvalidRequest({
    field: "devcontainer",
    detail: "excludes a repository's URL and a snapshot: name a directory of this host"
  })

/** The name of the environment, built unless an environment of the same files has it. */
const environmentFor = (
  pyro: PyroService,
  payload: CreatePayload,
  known: KnownDevContainer,
  onProgress: OnProgress
) =>
  Effect.gen(function*() {
    const isNamed = payload.environment !== UNNAMED
    if (isNamed && payload.rebuild !== true) return payload.environment
    const name = isNamed ? payload.environment : environmentNameOf(known.place)
    const { inspect } = yield* Environments
    const { key } = yield* planned(known, {})
    const present = yield* Effect.orElseSucceed(inspect(name, { verify: false }), () => undefined)
    const isSame = present?.oci?.devcontainer?.key === key && present.environment !== undefined
    if (isSame && payload.rebuild !== true) return name
    yield* yield* roomFor({ ...payload, driver: yield* driverOf(payload) })
    const { allowHosts = [], allowRegistries } = payload
    yield* buildDevContainer(
      pyro,
      known,
      {
        name,
        buildArgs: {},
        allowHosts,
        allowRegistries,
        option: "allow_registries",
        replace: true,
        auth: payload
      },
      onProgress
    )
    return name
  })

/** Fields of the file for a workspace of an environment. */
const describedBy = (
  { place, read }: KnownDevContainer,
  environment: string,
  { forwardPorts, name }: Pick<CreatePayload, "forwardPorts" | "name">
) =>
  Effect.gen(function*() {
    const { inspect } = yield* Environments
    const { oci } = yield* inspect(environment, { verify: false })
    return devContainerOf(read, place, {
      env: oci?.devcontainer?.env ?? oci?.config.env ?? [],
      label: oci?.devcontainer?.label
    }, { forwarded: forwardPorts === true, ...(name === undefined ? {} : { named: name }) })
  })

/** Publishes ports and runs the commands of the file. A workspace without them does not match the file, so it is deleted if one fails. */
const completed = <E, E2>(
  pyro: PyroService,
  { remember }: Workspaces<E, E2>,
  { id }: WorkspaceInfo,
  { forwardPorts, skipCommands }: CreatePayload,
  { ports, steps }: DevContainer,
  notify: Notify
) =>
  Effect.gen(function*() {
    if (forwardPorts === true) {
      yield* Effect.forEach(ports, (port) => pyro.workspace.port.publish({ workspace: id, port: String(port) }))
    }
    if (skipCommands !== true && steps.create.length + steps.start.length > 0) {
      yield* remember(id, steps)
      yield* runSteps(pyro, id, [...steps.create, ...steps.start], notify)
    }
    return yield* pyro.workspace.status({ workspace: id })
  }).pipe(
    Effect.onError(() => Effect.ignore(pyro.workspace.delete(payloadOf("workspace.delete", { workspaces: [id] }))))
  )

/**
 * A workspace as a devcontainer.json describes it: its environment is built if it has changed, the project is copied, and the commands of
 * the file run. The network is what the request grants, and nothing of the file.
 */
export const createOfDevContainer = <E, E2>(
  pyro: PyroService,
  payload: CreatePayload & { readonly devcontainer: string },
  workspaces: Workspaces<E, E2>
) =>
  withNotices((notify: Notify) =>
    Effect.gen(function*() {
      yield* demandAlone(payload)
      const known = yield* devContainerAt(payload.devcontainer, payload.env)
      const environment = yield* environmentFor(pyro, payload, known, progressTo(notify))
      const described = yield* describedBy(known, environment, payload)
      for (const note of described.notes) notify(note)
      const {
        allowRegistries: _registries,
        devcontainer: _file,
        forwardPorts: _ports,
        rebuild: _again,
        registryAuth: _logins,
        skipCommands: _skip,
        tokenHosts: _tokens,
        ...rest
      } = payload
      let made: WorkspaceInfo | undefined
      yield* workspaces.create({
        ...rest,
        environment,
        seedPath: payload.seedPath ?? known.found.project,
        env: { ...described.env, ...payload.env },
        cwd: payload.cwd ?? described.cwd
      }).pipe(Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "Ready") made = event.workspace
          else notify(event)
        })
      ))
      const workspace = yield* completed(pyro, workspaces, made!, payload, described, notify)
      return { _tag: "Ready" as const, workspace }
    })
  )
