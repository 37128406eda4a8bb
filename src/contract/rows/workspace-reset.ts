import { Schema } from "effect"
import { boolean, defaulted, flag, list, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofBooting } from "./call-errors.ts"
import { lazy, streaming, unary } from "./operation.ts"
import { at, every, settledOrAttaching, waits } from "./states.ts"
import { diskOnlyField, snapshotField, workspaceField } from "./workspace-field.ts"
import { unchanged } from "./workspace-info.ts"
import { foldWorkspace, WorkspaceEvent, WorkspaceResult } from "./workspace-lifecycle.ts"

export const ResetPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    snapshot: optional(snapshotField("Snapshot of the workspace to restore. Default: the state after create")),
    before: optional(
      string(
        "Id of a command, or a number of commands: go back to the moment before it, as `rewind` does. The id of a point is allowed too. Default: none"
      )
    ),
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
    "disk of the snapshot. With --before, only the commands from there on are undone. A fork without --snapshot returns to the seed of the workspace that was forked.",
  cli: {
    path: ["workspace", "reset"],
    args: ["workspace"],
    examples: ["pyro reset fix", "pyro reset fix --snapshot green"]
  },
  mcp: {
    tool: "workspace_reset",
    profiles: ["core", "full"],
    title: "Reset a workspace",
    description:
      "Bring a workspace back to its creation, or to before a command: all since is lost. Quicker than repairing",
    arguments: {
      workspace: {},
      before: { description: "exec_id, or a number of commands to undo" },
      snapshot: { visibleIn: ["full"], description: "Go back to this snapshot of it instead" },
      disk_only: { visibleIn: ["full"], description: "Its files alone, in a fresh VM" }
    },
    omits: [...unchanged, "labels", "environment", "detail", "expires_at", "ignored_count"]
  },
  states: at(settledOrAttaching, waits),
  on: "entry",
  errors: [
    ...ofBooting,
    "CommandNotStarted",
    "ExecNotFound",
    "FileRefused",
    "NetworkUnsupported",
    "PointNotFound",
    "SnapshotMismatch",
    "SnapshotNotFound"
  ],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: ResetPayload,
  event: WorkspaceEvent,
  result: WorkspaceResult,
  fold: foldWorkspace
})

export const DeletePayload = lazy(() =>
  snakeStruct({
    workspaces: defaulted(
      list(workspaceField()).annotate({ description: "Ids or names of the workspaces. Default: none" }),
      () => []
    ),
    all: flag("Delete every workspace"),
    ifExists: optional(boolean("Succeed if a workspace does not exist. The result has those that were deleted"))
  })
)
export type DeletePayload = ReturnType<typeof DeletePayload>["Type"]

export const workspaceDelete = unary({
  name: "workspace.delete",
  summary: "Delete workspaces and their files",
  description:
    "Ends the commands of the workspaces and removes their disks. Files that were not exported are lost. Asks nothing for workspaces that are named, so that scripts and people get the same.",
  cli: {
    path: ["workspace", "delete"],
    args: ["workspaces"],
    unless: { workspaces: "all" },
    confirms: "all",
    extras: { yes: { _tag: "switch", description: "Skip the question that --all asks on a terminal" } },
    examples: ["pyro delete fix other", "pyro delete fix --if-exists", "pyro delete --all --yes"]
  },
  mcp: {
    tool: "workspace_delete",
    profiles: ["core", "full"],
    title: "Delete workspaces",
    description: "Delete workspaces with everything in them",
    arguments: { workspaces: { name: "workspace_ids", needed: true, description: "Ids or names" } },
    omits: ["names"]
  },
  states: at(every, waits),
  errors: ["IdAmbiguous", "WorkspaceNotFound", "WorkspaceNotReady"],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: DeletePayload,
  result: lazy(() =>
    Schema.Struct({
      deleted: Schema.Array(Schema.String).annotate({ description: "Ids of the deleted workspaces" }),
      names: Schema.Array(Schema.String).annotate({
        description: "Their names in the same order; the id of a workspace without a name"
      })
    })
  )
})
