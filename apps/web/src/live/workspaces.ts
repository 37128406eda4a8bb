import type { ObservedWorkspace } from "../../../../src/contract/rows/workspace-watch.ts"
import { follow } from "../wire/calls.ts"
import { makeStore, useStore } from "./store.ts"

/** A workspace with what its microVM uses, its last command and its last denial. */
export type Seen = ObservedWorkspace

/** All workspaces by id, the newest first. Undefined before the first answer. */
export const workspaces = makeStore<ReadonlyMap<string, Seen> | undefined>(undefined)

const newestFirst = (all: ReadonlyArray<Seen>) =>
  all.toSorted(({ workspace: one }, { workspace: other }) =>
    one.createdAt < other.createdAt ? 1 : one.createdAt > other.createdAt ? -1 : one.id < other.id ? -1 : 1
  )

/** Follows the workspaces of the daemon as long as the page is open. */
export const keepWorkspaces = () => {
  let known = new Map<string, Seen>()
  return follow("workspace.watch", { intervalMs: 2_000 }, {
    // A new connection tells all of them, without those that were deleted meanwhile.
    begin: () => {
      known = new Map()
    },
    events: (events) => {
      for (const { gone, workspaces } of events) {
        for (const id of gone) known.delete(id)
        for (const seen of workspaces) known.set(seen.workspace.id, seen)
      }
      workspaces.set(new Map(newestFirst([...known.values()]).map((seen) => [seen.workspace.id, seen])))
    }
  })
}

/** A workspace by its id or name. `loading` before the first answer; undefined if there is none. */
export const useWorkspace = (id: string): Seen | "loading" | undefined => {
  const all = useStore(workspaces)
  if (all === undefined) return "loading"
  return all.get(id) ?? [...all.values()].find(({ workspace }) => workspace.name === id)
}
