import type { Operation, WorkspaceOperation } from "../../../contract/rows/operations.ts"
import { aloneFor } from "../../../workspace/entry/context.ts"
import { inside, isInside, type WorkWrap } from "./work.ts"

/**
 * Gives the operation the workspace alone, after the step under way, and then checks the state that the step left.
 *
 * Needs the lifecycle lock of the workspace. Stands outside of the place, whose VM or residents a step replaces.
 */
export const alone: WorkWrap = {
  name: "alone",
  does: "waits for the step under way, checks the state and locks the workspace",
  because: "outside of the place: a step under way replaces the microVM",
  concerns: (row) => isInside(row) && (row as Operation).states?.waits === true,
  around: ({ name }, work) => (payload, at) => {
    const { entry, lifecycle } = inside(at)
    return aloneFor(lifecycle, entry, name as WorkspaceOperation)(work(payload, at))
  }
}
