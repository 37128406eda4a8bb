import { Effect, Option } from "effect"
import { Pyro } from "../../contract/rows/Pyro.ts"
import { acquireWorkspace, pyro } from "../model/effects.ts"
import type { ListOptions, PyroClient, SavedSnapshots } from "../promises/client.ts"
import type { SavedExportFields, SavedImportFields } from "../promises/shapes.ts"
import type { CreateOptions } from "../promises/workspace.ts"
import { type Host, hostOf } from "./host.ts"
import type { InEffect } from "./in-effect.ts"
import { handle } from "./marks.ts"
import { asWritten } from "./option-names.ts"
import { down, up } from "./project.ts"
import { type Wanted, wantedOf } from "./signs.ts"
import { keptAliveWorkspace, workspaceOf } from "./workspace.ts"

type MakeOptions = Omit<CreateOptions, "signal">

const host = Effect.map(Pyro, (service) => hostOf(service))

const createOn = ({ pyro, use }: Host, { asKeptAlive, fields }: Wanted) =>
  Effect.map(asKeptAlive(use(pyro.workspace.create.collect(fields))), ({ workspace }) => workspace)

/** A new workspace, which stays until it is deleted or expires. */
export const create = (options?: MakeOptions) =>
  Effect.gen(function*() {
    const on = yield* host
    const wanted = yield* wantedOf(options)
    const info = yield* createOn(on, wanted)
    return yield* keptAliveWorkspace(on, info, true, wanted.signsOf(info))
  })

/**
 * A new workspace for a Scope, whose end deletes it with its forks, also after an interrupted creation.
 *
 * @example
 * const ws = yield* Workspace.make({ seedPath: "." })
 * const { status } = yield* ws.exec("python3 -m unittest")
 */
export const make = (options?: MakeOptions) =>
  Effect.gen(function*() {
    const on = yield* host
    const wanted = yield* wantedOf(options)
    const info = yield* wanted.asKeptAlive(Effect.mapError(acquireWorkspace(wanted.fields), asWritten))
    return yield* keptAliveWorkspace(on, info, true, wanted.signsOf(info))
  })

/** A workspace by its name or id, if there is one. */
export const get = (nameOrId: string) =>
  Effect.flatMap(host, (on) =>
    on.use(on.pyro.workspace.status({ workspace: nameOrId })).pipe(
      Effect.map((info) => Option.some(workspaceOf(on, info, false))),
      Effect.catchTag("WorkspaceNotFound", () => Effect.succeedNone)
    ))

/** The workspace of this name, started if it is stopped. Created with the options if there is none. It stays. */
export const open = (name: string, options?: MakeOptions) =>
  Effect.gen(function*() {
    const on = yield* host
    const wanted = yield* wantedOf({ ...options, name })
    // A start of a running workspace waits for its present step and does nothing.
    const started = on.use(on.pyro.workspace.start.collect({ workspace: name }))
    const info = yield* Effect.map(started, ({ workspace }) => workspace).pipe(
      Effect.catchTag("WorkspaceNotFound", () => createOn(on, wanted)),
      // Another program has created it meanwhile.
      Effect.catchTag("WorkspaceNameTaken", () => Effect.map(started, ({ workspace }) => workspace))
    )
    return yield* keptAliveWorkspace(on, info, false, wanted.signsOf(info))
  })

/** Workspaces with all of these labels, the last used first. */
export const list = (
  { labels }: Omit<ListOptions, "signal"> = {}
) =>
  Effect.flatMap(host, (on) =>
    Effect.map(
      on.use(on.pyro.workspace.list({ labels })),
      ({ workspaces }) => workspaces.map((info) => workspaceOf(on, info, false))
    ))

/** Methods of a client, which get their service from the program. */
type Served<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer Args) => Effect.Effect<infer A, infer E, unknown>
    ? (...args: Args) => Effect.Effect<A, E, Pyro>
    : Served<T[K]>
}

/** Saved snapshots of this host. */
export const saved: Served<InEffect<SavedSnapshots>> = handle("Saved", {
  list: () => Effect.map(pyro.saved.list(), ({ saved }) => saved),
  get: (name: string) =>
    Effect.asSome(pyro.saved.inspect({ name })).pipe(
      Effect.catchTag("SavedNotFound", () => Effect.succeedNone)
    ),
  delete: (name: string) =>
    Effect.asVoid(pyro.saved.delete({ names: [name] })).pipe(Effect.catchTag("SavedNotFound", () => Effect.void)),
  export: (name: string, output: string, options?: SavedExportFields) =>
    Effect.mapError(pyro.saved.export.collect({ ...options, name, output }), asWritten),
  import: (sourcePath: string, options?: SavedImportFields) =>
    Effect.map(Effect.mapError(pyro.saved.import.collect({ ...options, sourcePath }), asWritten), ({ saved }) => saved)
})

/** Everything of a client except its end. */
export const client: Served<InEffect<Omit<PyroClient, "close">>> = { create, open, get, list, up, down, saved }
