import { Effect } from "effect"
import type { Operation, WorkspaceOperation } from "../../../contract/rows/operations.ts"
import { inReader, inRunning } from "../../../workspace/operations/work.ts"
import { residentsOf } from "../../../workspace/residents/open/entry-residents.ts"
import { inside, isInside, type Work, type WorkWrap } from "./work.ts"

/**
 * Gives the work the place that its row names (`on`): the residents of the workspace, its running VM, or a guest that reads its files. The
 * places `running` and `reader` check the state and explain a VM that ended; `running` counts a write as use.
 *
 * Needs the workspace. Stands outside of all that uses a guest.
 */
export const placed: WorkWrap = {
  name: "place",
  does: "opens the residents, the running microVM or the reader that the row names",
  because: "inside of the lock, and outside of all that uses the guest",
  concerns: (row) => isInside(row) && (row as Operation).on !== "entry",
  around: (row: Operation, work) => {
    const { on, writes } = row
    const operation = row.name as WorkspaceOperation
    return (payload, at): ReturnType<Work> => {
      const { entry, lifecycle } = inside(at)
      const here = (given: object) => work(payload, { ...at, ...given })
      switch (on) {
        case "residents":
          return Effect.flatMap(residentsOf(entry, operation), here)
        case "running":
          return inRunning(lifecycle, entry, operation, { writes: writes?.(payload as never) ?? false }, here)
        default:
          return inReader(lifecycle, entry, operation, here)
      }
    }
  }
}
