import { Effect } from "effect"
import { Pyro } from "../contract/rows/Pyro.ts"
import { workspacePause } from "../contract/rows/workspace-pause.ts"
import { findProject, type ProjectFile } from "./file.ts"
import { holdProject, recall, remember } from "./memory.ts"
import type { Surface } from "./surface.ts"
import { deleteWorkspace, workspaceOf } from "./up.ts"

interface DownOptions {
  readonly directory: string | undefined
  readonly cwd: string
  /** Deletes the workspace. */
  readonly delete: boolean
}

/** Outcome for a project's workspace. `none`: the project has none. */
export interface Down {
  readonly file: ProjectFile
  readonly workspace: string | undefined
  readonly outcome: "paused" | "deleted" | "unchanged" | "none"
}

/** Pauses or deletes the workspace of a project. */
export const down = ({ cwd, delete: wantsDelete, directory }: DownOptions, surface: Surface) =>
  Effect.scoped(Effect.gen(function*() {
    const pyro = yield* Pyro
    const file = yield* findProject(directory, cwd)
    yield* holdProject(file.directory, surface.say("waits for another pyro up or down of this project"))
    const memory = yield* recall(file.directory)
    const known = yield* workspaceOf(memory)
    if (known === undefined) return { file, workspace: undefined, outcome: "none" } satisfies Down
    const name = known.name ?? known.id
    if (wantsDelete) {
      yield* deleteWorkspace(known.id)
      const { workspace: _, ...rest } = memory
      yield* remember(rest)
      return { file, workspace: name, outcome: "deleted" } satisfies Down
    }
    if (known.state !== "running") return { file, workspace: name, outcome: "unchanged" } satisfies Down
    const request = { workspace: known.id }
    yield* surface.show(workspacePause, request, pyro.workspace.pause(request))
    return { file, workspace: name, outcome: "paused" } satisfies Down
  }))
