import { optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy, streaming } from "./operation.ts"
import { at, settledOrAttaching, waits } from "./states.ts"
import { diskOnlyField, snapshotField, workspaceField } from "./workspace-field.ts"
import { secondary } from "./workspace-info.ts"
import { foldWorkspace, WorkspaceEvent, WorkspaceResult } from "./workspace-lifecycle.ts"

export const ResetPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    snapshot: optional(snapshotField("Snapshot of the workspace to restore. Default: the state after create")),
    diskOnly: diskOnlyField()
  })
)
export type ResetPayload = ReturnType<typeof ResetPayload>["Type"]

export const workspaceReset = streaming({
  name: "workspace.reset",
  summary: "Return a workspace to the state after create, or to a snapshot",
  description:
    "Discards the changes of the disk, every process and the history of commands, and starts a new microVM from the same seed. " +
    "Id, name and pushed files stay. A reset is faster and safer than a repair. With --snapshot, the workspace continues from the memory and " +
    "disk of the snapshot. A fork without --snapshot returns to the seed of the workspace that was forked.",
  cli: {
    path: ["workspace", "reset"],
    args: ["workspace"],
    exits: "own",
    examples: ["pyro reset fix", "pyro reset fix --snapshot green"]
  },
  mcp: {
    tool: "workspace_reset",
    profiles: ["core", "full"],
    title: "Reset a workspace",
    description:
      "Bring a workspace back to its creation: all changes, processes and history are lost. Quicker than repairing",
    arguments: {
      workspace: {},
      snapshot: { visibleIn: ["full"], description: "Go back to this snapshot of it instead" },
      disk_only: { visibleIn: ["full"], description: "Its files alone, in a fresh VM" }
    },
    omits: [
      ...secondary,
      "labels",
      "environment",
      "detail",
      "expires_at",
      "seed_path",
      "secrets",
      "secret_http",
      "running_commands",
      "running",
      "network",
      "ignored_count"
    ]
  },
  states: at(settledOrAttaching, waits),
  on: "entry",
  home: "daemon",
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: ResetPayload,
  event: WorkspaceEvent,
  result: WorkspaceResult,
  fold: foldWorkspace
})
