import { Effect, Stream } from "effect"
import { ProjectSetupFailed } from "../contract/errors/errors.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { Pyro } from "../contract/rows/Pyro.ts"
import { workspaceExec } from "../contract/rows/workspace-exec.ts"
import type { WorkspaceInfo } from "../contract/rows/workspace-info.ts"
import { workspaceStart } from "../contract/rows/workspace-lifecycle.ts"
import { workspaceResume } from "../contract/rows/workspace-pause.ts"
import { applyChange } from "./apply.ts"
import type { ProjectBuild } from "./build.ts"
import { type Change, changeOf, encoded } from "./differences.ts"
import { findProject, type ProjectFile } from "./file.ts"
import { secretValues, withGrants } from "./granted.ts"
import { makeWorkspace } from "./make.ts"
import { holdProject, type Memory, recall, remember, type RememberedWorkspace } from "./memory.ts"
import { type SecretValues, setupOf, setupRequest } from "./requests.ts"
import { settlePorts, settleServices } from "./services.ts"
import type { Surface } from "./surface.ts"

interface UpOptions {
  /** Directory of the project. @default the nearest one with a file, from `cwd` to the root of its git work tree */
  readonly directory: string | undefined
  readonly cwd: string
  /** Deletes the project's workspace first. */
  readonly recreate: boolean
}

/** A project's workspace that runs as its file says. */
export interface Up {
  readonly file: ProjectFile
  readonly workspace: WorkspaceInfo
  /** How the workspace came to run. `running`: it did before. */
  readonly was: "created" | "started" | "resumed" | "running"
  /** How the file differs from the one that the workspace was made from. */
  readonly change: Change
}

/** Makes or resumes the workspace of a project, as its file says. */
export const up = ({ cwd, directory, recreate }: UpOptions, surface: Surface) =>
  Effect.scoped(Effect.gen(function*() {
    const file = yield* findProject(directory, cwd)
    yield* holdProject(file.directory, surface.say("waits for another pyro up or down of this project"))
    const { built, memory } = yield* withGrants(file, yield* recall(file.directory), surface)
    const values = yield* secretValues(file, surface)
    const known = yield* workspaceOf(memory)
    if (known !== undefined && recreate) yield* deleteWorkspace(known.id)
    return yield* known === undefined || recreate
      ? created(file, { built, memory, values }, surface)
      : continued(file, { memory, known, values }, surface)
  }))

/** The workspace that pyro made for a project. Undefined if there is none any more. */
export const workspaceOf = ({ workspace }: Memory) =>
  Effect.gen(function*() {
    if (workspace === undefined) return undefined
    return yield* (yield* Pyro).workspace.status({ workspace: workspace.id }).pipe(
      Effect.catchTag("WorkspaceNotFound", () => Effect.succeed(undefined))
    )
  })

export const deleteWorkspace = (id: string) =>
  Effect.flatMap(
    Pyro,
    (pyro) => pyro.workspace.delete(payloadOf("workspace.delete", { workspaces: [id], ifExists: true }))
  )

const created = (
  file: ProjectFile,
  { built, memory, values }: {
    readonly built: ProjectBuild | undefined
    readonly memory: Memory
    readonly values: SecretValues
  },
  surface: Surface
) =>
  Effect.gen(function*() {
    const { workspace: made, ...environment } = yield* makeWorkspace(file, built, values, surface)
    const now = { id: made.id, setUp: 0, definition: encoded(file.definition) }
    const known: Memory = { ...memory, ...environment, workspace: now }
    yield* remember(known)
    yield* settle(file, known, now, surface)
    const change: Change = { applicable: [], ofNew: [], after: now.definition }
    return { file, workspace: yield* statusOf(made.id), was: "created", change } satisfies Up
  })

const continued = (
  file: ProjectFile,
  { known, memory, values }: { readonly memory: Memory; readonly known: WorkspaceInfo; readonly values: SecretValues },
  surface: Surface
) =>
  Effect.gen(function*() {
    const was = yield* awake(known, surface)
    const { definition: before, id, setUp } = memory.workspace!
    const change = changeOf(before, file.definition, setUp)
    yield* applyChange({
      workspace: id,
      before,
      now: file.definition,
      change,
      values,
      variable: surface.variable
    })
    yield* settle(file, memory, { id, setUp, definition: before }, surface)
    return { file, workspace: yield* statusOf(id), was, change } satisfies Up
  })

const statusOf = (workspace: string) => Effect.flatMap(Pyro, (pyro) => pyro.workspace.status({ workspace }))

/** Starts or resumes a workspace that does not run. */
const awake = ({ id: workspace, state }: WorkspaceInfo, surface: Surface) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    if (state === "running") return "running"
    if (state === "paused") {
      yield* surface.show(workspaceResume, { workspace }, pyro.workspace.resume({ workspace }))
      return "resumed"
    }
    yield* surface.show(workspaceStart, { workspace }, pyro.workspace.start({ workspace }))
    return "started"
  })

/** Runs the setup commands that have not run, and then the services and ports. Remembers each step. */
const settle = (file: ProjectFile, memory: Memory, from: RememberedWorkspace, surface: Surface) =>
  Effect.gen(function*() {
    const { definition } = file
    const { after, ofNew } = changeOf(from.definition, definition, from.setUp)
    const setup = ofNew.some(({ key }) => key === "setup") ? [] : definition.setup ?? []
    for (const [at, command] of setup.entries()) {
      if (at < from.setUp) continue
      yield* setUp(from.id, command, surface)
      yield* remember({ ...memory, workspace: { ...from, setUp: at + 1 } })
    }
    yield* settleServices(from.id, from.definition, definition, surface)
    yield* settlePorts(from.id, from.definition, definition)
    yield* remember({
      ...memory,
      workspace: { id: from.id, setUp: Math.max(from.setUp, setup.length), definition: after }
    })
  })

const setUp = (workspace: string, setup: Parameters<typeof setupOf>[0], surface: Surface) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const { run } = setupOf(setup)
    yield* surface.say(`runs ${run}`)
    const request = yield* setupRequest(workspace, setup)
    const events = pyro.workspace.exec(request).pipe(
      Stream.tap((event) => event._tag === "Output" ? surface.output(event.bytes) : Effect.void)
    )
    const { outcome, status } = yield* surface.show(workspaceExec, request, events)
    if (status === 0) return
    return yield* new ProjectSetupFailed({
      workspace,
      command: run,
      ending: outcome === "exited" ? `status ${status}` : outcome.replaceAll("_", " ")
    })
  })
