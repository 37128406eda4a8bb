import { Effect } from "effect"
import { wakes, type WorkspaceOperation } from "../../../contract/rows/operations.ts"
import { wakeFor } from "../../../workspace/life/verbs/pause.ts"
import { inside, isInside, type WorkWrap } from "./work.ts"

/**
 * Resumes a paused workspace that the operation needs running, and counts a use until the call ends.
 *
 * Needs the pause and resume of workspaces. Stands outside of the lock, which the resume takes by itself.
 */
export const woken: WorkWrap = {
  name: "woken",
  does: "resumes a paused workspace",
  because: "outside of the lock, which a resume takes",
  concerns: (row) => isInside(row) && row.states !== undefined && wakes(row.name),
  around: ({ name }, work) => (payload, at) => {
    const { entry, lifecycle } = inside(at)
    return Effect.andThen(wakeFor(lifecycle, entry, name as WorkspaceOperation), work(payload, at))
  }
}
