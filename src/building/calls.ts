import { Context, Effect, Stream } from "effect"
import type { Operation, PayloadOf } from "../contract/rows/operations.ts"
import type { PyroService } from "../contract/rows/Pyro.ts"
import type { CreatePayload, WorkspaceEvent } from "../contract/rows/workspace-lifecycle.ts"
import type { ResetPayload } from "../contract/rows/workspace-reset.ts"
import type { Environments } from "../lib/environment/Environments.ts"
import type { LifecycleStep, LifecycleSteps } from "../lib/recipe/devcontainer.ts"
import { Pool } from "../lib/vm/Pool.ts"
import type { Paths } from "../system/files/Paths.ts"
import { withNotices } from "../system/waits/notices.ts"
import { alone, type Notify } from "../workspace/entry/context.ts"
import type { House, HouseFailure } from "../workspace/operations/work.ts"
import { createOfDockerfile } from "./create.ts"
import { createOfDevContainer, unusedLogins } from "./devcontainer/create.ts"
import { runSteps } from "./devcontainer/lifecycle.ts"

interface Parts {
  readonly pyro: () => PyroService
  readonly house: Effect.Effect<House, HouseFailure>
  readonly context: Context.Context<Environments | Paths>
}

type Ready = Extract<WorkspaceEvent, { readonly _tag: "Ready" }>

/** Runs commands before the last event. A workspace that exists already stays, and a warning says which command failed. */
const beforeReady = (pyro: PyroService, steps: ReadonlyArray<LifecycleStep>, ready: Ready) =>
  withNotices((notify: Notify) =>
    runSteps(pyro, ready.workspace.id, steps, notify).pipe(
      Effect.catchTag("DevContainerCommandFailed", ({ command, ended, output }) =>
        Effect.sync(() =>
          notify({ _tag: "Notice", level: "warning", message: `${command} failed (${ended}): ${output}` })
        )),
      Effect.andThen(pyro.workspace.status({ workspace: ready.workspace.id })),
      Effect.map((workspace): WorkspaceEvent => ({ ...ready, workspace }))
    )
  )

/** Why the commands of a dev container do not run. */
export type CommandsFailure = Stream.Error<ReturnType<typeof beforeReady>>

/** Operations whose workspaces may be of a devcontainer.json or a Dockerfile. */
export const isOfRecipes = ({ name }: Pick<Operation, "name">) =>
  name === "workspace.create" || name === "workspace.start" || name === "workspace.reset"

/** The calls of operations whose workspaces may be of a devcontainer.json or a Dockerfile, around the calls without. */
export const devContainerCalls = ({ context, house, pyro }: Parts) => {
  const entryOf = (workspace: string) =>
    Effect.flatMap(
      house,
      ({ lifecycle }) => Effect.map(lifecycle.registry.find(workspace), (entry) => ({ lifecycle, entry }))
    )
  /** The call itself says what is wrong with the name of a workspace. */
  const recorded = (workspace: string) =>
    entryOf(workspace).pipe(
      Effect.flatMap(({ entry }) => entry.record.now),
      Effect.map((record) => record.devcontainer),
      Effect.orElseSucceed(() => undefined)
    )
  const remember = (workspace: string, steps: LifecycleSteps) =>
    Effect.flatMap(
      entryOf(workspace),
      ({ entry, lifecycle }) =>
        alone(lifecycle, entry)(entry.record.commit((record) => ({ ...record, devcontainer: steps })))
    )
  const after = <E>(
    workspace: string,
    events: Stream.Stream<WorkspaceEvent, E>,
    choose: (steps: LifecycleSteps) => ReadonlyArray<LifecycleStep>
  ) =>
    Stream.flatMap(events, (event) =>
      event._tag !== "Ready" || event.changed === false
        ? Stream.make(event)
        : Stream.unwrap(
          Effect.map(
            recorded(workspace),
            (steps): Stream.Stream<WorkspaceEvent, CommandsFailure> =>
              steps === undefined ? Stream.make<[WorkspaceEvent]>(event) : beforeReady(pyro(), choose(steps), event)
          )
        ))

  /** Work that takes microVMs after a build: the pool makes room for them. */
  const pooled = <E>(work: Stream.Stream<WorkspaceEvent, E, Environments | Paths>) =>
    Stream.unwrap(
      Effect.map(house, ({ services }) =>
        work.pipe(Stream.provideService(Pool, Context.get(services, Pool)), Stream.provideContext(context)))
    )

  return <Call>({ name }: Pick<Operation, "name">, call: Call): Call => {
    switch (name) {
      case "workspace.create": {
        const create = call as unknown as PyroService["workspace"]["create"]
        return ((payload: CreatePayload) => {
          if (payload.devcontainer !== undefined && payload.dockerfile === undefined) {
            const { devcontainer } = payload
            return pooled(createOfDevContainer(pyro(), { ...payload, devcontainer }, { create, remember }))
          }
          if (payload.dockerfile !== undefined) {
            const { dockerfile } = payload
            return pooled(createOfDockerfile(pyro(), { ...payload, dockerfile }, create))
          }
          const refused = unusedLogins(payload)
          return refused === undefined ? create(payload) : Stream.fail(refused)
        }) as Call
      }
      case "workspace.start": {
        const start = call as unknown as PyroService["workspace"]["start"]
        return ((payload: PayloadOf<"workspace.start">) =>
          Stream.unwrap(
            Effect.map(recorded(payload.workspace), (steps) =>
              steps === undefined ? start(payload) : Stream.unwrap(Effect.map(
                pyro().workspace.status({ workspace: payload.workspace }),
                // A paused workspace continues, and so do its programs.
                ({ state }) =>
                  state === "paused" && payload.discardMemory !== true
                    ? start(payload)
                    : after(payload.workspace, start(payload), ({ start }) =>
                      start)
              )))
          )) as Call
      }
      case "workspace.reset": {
        const reset = call as unknown as PyroService["workspace"]["reset"]
        return ((payload: ResetPayload) =>
          payload.snapshot === undefined
            ? after(payload.workspace, reset(payload), ({ create, start }) => [...create, ...start])
            : reset(payload)) as Call
      }
      default:
        return call
    }
  }
}
