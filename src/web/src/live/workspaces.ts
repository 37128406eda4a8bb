import type { WatchTable } from "../../../contract/rows/workspace-events.ts"
import type { WorkspaceInfo } from "../../../contract/rows/workspace-info.ts"
import { ask, follow } from "../wire/calls.ts"
import { makeStore, useStore } from "./store.ts"

/** A command, as a row of the list shows it. */
export interface LastCommand {
  readonly execId: string
  readonly command: string
  readonly outcome: string
  readonly status?: number | undefined
  readonly durationMs?: number | undefined
}

/** A workspace with what its microVM uses. */
export interface Seen {
  readonly workspace: WorkspaceInfo
  readonly cpuPercent?: number | undefined
  readonly memoryBytes?: number | undefined
  readonly lastCommand?: LastCommand | undefined
}

/** All workspaces by id, the last used first. Undefined before the first answer. */
export const workspaces = makeStore<ReadonlyMap<string, Seen> | undefined>(undefined)

let table: WatchTable["workspaces"] = []
let infos: ReadonlyArray<WorkspaceInfo> | undefined

const publish = () => {
  if (infos === undefined) return
  const uses = new Map(table.map((row) => [row.id, row]))
  const before = workspaces.get()
  workspaces.set(
    new Map(infos.map((workspace) => {
      const { cpuPercent, memoryBytes } = uses.get(workspace.id) ?? {}
      const known = before?.get(workspace.id)
      const same = known?.workspace === workspace && known.cpuPercent === cpuPercent &&
        known.memoryBytes === memoryBytes
      return [workspace.id, same ? known : { workspace, cpuPercent, memoryBytes }]
    }))
  )
}

let isListing = false
let isListAgain = false

/** Reads the list. Requests during a read are one more read. */
const list = async () => {
  isListAgain = isListing
  if (isListing) return
  isListing = true
  try {
    const { workspaces } = await ask("workspace.list", { labels: {} })
    infos = workspaces
    publish()
  } finally {
    isListing = false
    if (isListAgain) void list()
  }
}

/** Follows the workspaces of the daemon as long as the page is open. */
export const keepWorkspaces = () =>
  follow("watch", { intervalMs: 2_000 }, {
    events: (tables) => {
      table = tables.at(-1)!.workspaces
      publish()
      void list()
    }
  })

/** A workspace by its id or name. `loading` before the first answer; undefined if there is none. */
export const useWorkspace = (id: string): Seen | "loading" | undefined => {
  const all = useStore(workspaces)
  if (all === undefined) return "loading"
  return all.get(id) ?? [...all.values()].find(({ workspace }) => workspace.name === id)
}
