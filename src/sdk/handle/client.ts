import { Effect, Option, type Scope } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import { Pyro } from "../../contract/rows/Pyro.ts"
import { acquireWorkspace } from "../effects.ts"
import type { ListOptions } from "../promises/client.ts"
import type { CreateOptions } from "../promises/workspace.ts"
import { type Host, hostOf, inSeconds } from "./host.ts"
import { type WorkspaceHandle, workspaceOf } from "./workspace.ts"

type MakeOptions = Omit<CreateOptions, "signal">

const host = Effect.map(Pyro, (service) => hostOf(service))

const createOn = ({ pyro, use }: Host, options: MakeOptions | undefined) =>
  Effect.map(use(pyro.workspace.create.collect(inSeconds(options))), ({ workspace }) => workspace)

/** A new workspace, which stays until it is deleted or expires. */
export const create = (options?: MakeOptions): Effect.Effect<WorkspaceHandle, PyroError, Pyro> =>
  Effect.flatMap(host, (on) => Effect.map(createOn(on, options), (info) => workspaceOf(on, info, true)))

/**
 * A new workspace for a Scope, whose end deletes it with its forks, also after an interrupted creation.
 *
 * @example
 * const ws = yield* Workspace.make({ seedPath: "." })
 * const { status } = yield* ws.exec("python3 -m unittest")
 */
export const make = (options?: MakeOptions): Effect.Effect<WorkspaceHandle, PyroError, Pyro | Scope.Scope> =>
  Effect.flatMap(host, (on) => Effect.map(acquireWorkspace(inSeconds(options)), (info) => workspaceOf(on, info, true)))

/** A workspace by its name or id, if there is one. */
export const get = (nameOrId: string): Effect.Effect<Option.Option<WorkspaceHandle>, PyroError, Pyro> =>
  Effect.flatMap(host, (on) =>
    on.use(on.pyro.workspace.status({ workspace: nameOrId })).pipe(
      Effect.map((info) => Option.some(workspaceOf(on, info, false))),
      Effect.catchTag("WorkspaceNotFound", () => Effect.succeedNone)
    ))

/** The workspace of this name, started if it is stopped. Created with the options if there is none. It stays. */
export const open = (name: string, options?: MakeOptions): Effect.Effect<WorkspaceHandle, PyroError, Pyro> =>
  Effect.flatMap(host, (on) => {
    // Of a running workspace, a start waits for its present step and does nothing.
    const started = on.use(on.pyro.workspace.start.collect({ workspace: name }))
    return Effect.map(started, ({ workspace }) => workspace).pipe(
      Effect.catchTag("WorkspaceNotFound", () => createOn(on, { ...options, name })),
      // Another program has created it meanwhile.
      Effect.catchTag("WorkspaceNameTaken", () => Effect.map(started, ({ workspace }) => workspace)),
      Effect.map((info) => workspaceOf(on, info, false))
    )
  })

/** Workspaces with all of these labels, the last used first. */
export const list = (
  { labels }: Omit<ListOptions, "signal"> = {}
): Effect.Effect<ReadonlyArray<WorkspaceHandle>, PyroError, Pyro> =>
  Effect.flatMap(host, (on) =>
    Effect.map(
      on.use(on.pyro.workspace.list({ labels })),
      ({ workspaces }) => workspaces.map((info) => workspaceOf(on, info, false))
    ))
