import { Effect } from "effect"
import { WorkspaceNotReady } from "../../contract/errors/errors.ts"
import { isLegal, lastingStates, type WorkspaceOperation } from "../../contract/rows/operations.ts"
import type { WorkspaceState } from "../../contract/rows/workspace-info.ts"
import { displayName, type Entry } from "./entry.ts"

/** What the state means for the caller. The error's steps say what helps. */
const meaning: Readonly<Record<WorkspaceState, string>> = {
  creating: "its creation goes on",
  running: "its microVM has the disk",
  starting: "its start goes on",
  stopping: "its stop goes on",
  stopped: "its files are kept, and nothing runs in it",
  paused: "its processes stand still, and its memory is kept",
  failed: "its files are kept, and nothing runs in it",
  resetting: "its reset goes on",
  deleting: "nothing of it stays"
}

/** Refuses an operation because of the workspace's state. */
export const notReady = (entry: Entry, operation: WorkspaceOperation): Effect.Effect<never, WorkspaceNotReady> =>
  Effect.gen(function*() {
    const { detail, state } = yield* entry.state.now
    return yield* new WorkspaceNotReady({
      workspace: yield* displayName(entry),
      state,
      detail: detail ?? meaning[state],
      legalStates: lastingStates(operation)
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
    (workspace) => new WorkspaceNotReady({ workspace, state: "deleting", detail: meaning.deleting })
  )
