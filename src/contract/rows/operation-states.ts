import { named } from "../text/names.ts"
import { type OperationName, operations } from "./operations.ts"
import { settled, type StateRule } from "./states.ts"
import type { WorkspaceState } from "./workspace-info.ts"

/** Operations on a workspace that exists; `env.build` reads one with `--from-workspace`. */
export type WorkspaceOperation =
  | Exclude<Extract<OperationName, `workspace.${string}`>, "workspace.create" | "workspace.list">
  | "env.build"

/** In which states of a workspace each operation is legal: for the checks, their errors and the reference. */
export const operationStates = named(
  operations.flatMap(({ name, states }) => states === undefined ? [] : [[name, states] as const])
) as Readonly<Record<WorkspaceOperation, StateRule>>

export const isLegal = (operation: WorkspaceOperation, state: WorkspaceState): boolean =>
  operationStates[operation].legal.includes(state)

/** The legal states that last until somebody changes them: the others end by themselves, and nobody can ask for them. */
export const lastingStates = (operation: WorkspaceOperation): ReadonlyArray<WorkspaceState> =>
  settled.filter((state) => isLegal(operation, state))
