import { Effect } from "effect"
import { WorkspaceNotReady } from "../../contract/errors/errors.ts"
import { isLegal, lastingStates, type WorkspaceOperation } from "../../contract/rows/operations.ts"
import type { WorkspaceState } from "../../contract/rows/workspace-info.ts"
import { displayName, type Entry } from "./entry.ts"

/** Next step for the caller. The error's message adds the command. */
const next: Readonly<Record<WorkspaceState, string>> = {
  creating: "wait until the workspace is created",
  running: "ask again",
  starting: "wait until the workspace runs",
  stopping: "wait until the workspace is stopped",
  stopped: "start the workspace first",
  paused: "resume the workspace to keep its processes, or stop it to discard them",
  failed: "bring the workspace back with start (keeps the disk) or reset (from the seed)",
  resetting: "wait until the workspace is reset",
  deleting: "the workspace is being deleted"
}

/** Refuses an operation because of the workspace's state. */
export const notReady = (entry: Entry, operation: WorkspaceOperation): Effect.Effect<never, WorkspaceNotReady> =>
  Effect.gen(function*() {
    const { detail, state } = yield* entry.state.now
    const legalStates = lastingStates(operation)
    const advice = state === "running" && !legalStates.includes(state) ? "stop the workspace first" : next[state]
    return yield* new WorkspaceNotReady({
      workspace: yield* displayName(entry),
      state,
      detail: detail === undefined ? advice : `${detail}; ${advice}`,
      legalStates
    })
  })

/** Refuses an operation that the table does not allow in the workspace's state. */
export const demandLegal = (entry: Entry, operation: WorkspaceOperation): Effect.Effect<void, WorkspaceNotReady> =>
  Effect.flatMap(
    entry.state.now,
    ({ state }) => isLegal(operation, state) ? Effect.void : notReady(entry, operation)
  )

/** The error of an operation that a deletion has ended. */
export const beingDeleted = (entry: Entry) =>
  Effect.flatMap(
    displayName(entry),
    (workspace) => new WorkspaceNotReady({ workspace, state: "deleting", detail: next.deleting })
  )
