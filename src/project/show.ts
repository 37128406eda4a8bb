import { Effect } from "effect"
import type { WorkspaceInfo } from "../contract/rows/workspace-info.ts"
import { asksOfFile } from "./asks.ts"
import { type Change, changeOf } from "./differences.ts"
import { findProject, type ProjectFile } from "./file.ts"
import { openAsks } from "./granted.ts"
import { recall } from "./memory.ts"
import { workspaceOf } from "./up.ts"

/** A project as `pyro up` would find it. */
export interface Shown {
  readonly file: ProjectFile
  readonly asks: ReadonlyArray<string>
  readonly isGranted: boolean
  readonly workspace: WorkspaceInfo | undefined
  /** How the file differs from the one that the workspace was made from. Undefined without a workspace. */
  readonly change: Change | undefined
}

/** Shows a project, and changes nothing. */
export const show = ({ cwd, directory }: { readonly directory: string | undefined; readonly cwd: string }) =>
  Effect.gen(function*() {
    const file = yield* findProject(directory, cwd)
    const memory = yield* recall(file.directory)
    const workspace = yield* workspaceOf(memory)
    const change = workspace === undefined
      ? undefined
      : changeOf(memory.workspace?.definition, file.definition, memory.workspace?.setUp ?? 0)
    const asks = yield* asksOfFile(file)
    const shown: Shown = {
      file,
      asks,
      isGranted: openAsks(asks, memory).length === 0,
      workspace,
      change
    }
    return shown
  })
