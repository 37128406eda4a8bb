import type { Resource, Server } from "@modelcontextprotocol/server"
import { Effect } from "effect"
import type { ResultOf } from "../contract/rows/operations.ts"
import type { WorkspaceInfo } from "../contract/rows/workspace-info.ts"
import { readableText } from "../contract/text/printable.ts"
import { callerProject } from "../contract/wire/caller-project.ts"
import { callerOf, type Project } from "../sdk/project.ts"
import { onePage } from "./one-page.ts"
import type { ToolRow } from "./profile.ts"

/**
 * The workspaces of the caller's project. None if nothing runs that has workspaces: a client lists resources at its start, and that starts
 * nothing.
 */
export type PresentWorkspaces = Effect.Effect<ResultOf<"workspace.list">["workspaces"]>

/** Maximum workspaces in a list. */
const MAX_WORKSPACES = 100

/** States without a diff. */
const WITHOUT_DIFF: ReadonlySet<WorkspaceInfo["state"]> = new Set(["creating", "deleting"])

const diffOf = ({ environment, id, name = id, state }: WorkspaceInfo): Resource => ({
  uri: `pyro://workspaces/${id}/diff`,
  name: readableText(`Diff of ${name}`),
  description: readableText(`Changes of workspace ${id} since create (${state}, ${environment})`),
  mimeType: "text/x-diff"
})

/** Does the work once at a time. Those who ask meanwhile get what the next time finds: a client may ask a thousand times at once. */
const together = <A>(work: () => Promise<A>): () => Promise<A> => {
  let running: Promise<A> | undefined
  let next: Promise<A> | undefined
  const begin = (): Promise<A> => {
    next = undefined
    const begun = work()
    running = begun
    const end = () => {
      if (running === begun) running = undefined
    }
    begun.then(end, end)
    return begun
  }
  return () => running === undefined ? begin() : next ??= running.then(begin, begin)
}

/** Lists the diffs of the workspaces, the last used first. */
export const addPresentResources = (
  server: Server,
  present: PresentWorkspaces,
  bound: Effect.Effect<Project>,
  run: <A>(effect: Effect.Effect<A>, signal: AbortSignal) => Promise<A>
): void => {
  const list = together(async () => {
    const asked = Effect.flatMap(
      bound,
      (project) => Effect.provideService(present, callerProject, callerOf(project, undefined))
    )
    const workspaces = await run(asked, new AbortController().signal)
    const shown = workspaces.filter(({ state }) => !WITHOUT_DIFF.has(state)).slice(0, MAX_WORKSPACES)
    return { resources: shown.map(diffOf) }
  })
  server.setRequestHandler("resources/list", (request) => onePage(list)(request)())
}

/** Whether a successful call of the tool may make or delete a workspace, and so changes the list. */
export const changesResources = (row: ToolRow): boolean =>
  row.name === "workspace.delete" || (row.kind === "streaming" && "makes" in row) || row.name === "workspace.try"
