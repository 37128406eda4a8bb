import { Schema } from "effect"
import { boolean, integer, milliseconds, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { foldTo, Notice, warnings } from "./notice.ts"
import { lazy, streaming, unary } from "./operation.ts"
import { at, every, settledAwake, settledOrAttaching, waits } from "./states.ts"
import { snapshotField, workspaceField, WorkspaceRef } from "./workspace-field.ts"

const full = { profiles: ["full"] } as const

export const SnapshotInfo = lazy(() =>
  snakeStruct({
    name: string("Name of the snapshot"),
    kind: Schema.Literals(["memory", "disk"]).annotate({
      description: "`memory`: memory and disk of a running workspace. `disk`: files of a workspace that was not running"
    }),
    createdAt: string("Time of creation, ISO 8601"),
    durable: boolean("Whether the snapshot survives a power cut. True some seconds after its creation"),
    memoryBytes: integer("Bytes of the host's disk that its memory takes"),
    layers: integer("Number of disk layers, which it shares with the workspace"),
    holdsSecrets: boolean("Whether the workspace had secrets: the memory or the files may have the values"),
    runningCommands: integer("Number of commands that run in it"),
    pauseMs: optional(
      milliseconds("Time for which the workspace was paused", "Absent for `disk`")
    )
  })
)
export type SnapshotInfo = ReturnType<typeof SnapshotInfo>["Type"]

export const SnapshotPayload = lazy(() =>
  snakeStruct({ workspace: workspaceField(), name: snapshotField("Name of the snapshot") })
)
export type SnapshotPayload = ReturnType<typeof SnapshotPayload>["Type"]

const taken = () => SnapshotInfo().annotate({ description: "The new snapshot" })

const SnapshotEvent = lazy(() => Schema.Union([Notice(), Schema.TaggedStruct("Taken", { snapshot: taken() })]))
type SnapshotEvent = ReturnType<typeof SnapshotEvent>["Type"]

const SnapshotResult = lazy(() => snakeStruct({ snapshot: taken(), warnings: warnings() }))
type SnapshotResult = ReturnType<typeof SnapshotResult>["Type"]

export const workspaceSnapshotCreate = streaming({
  name: "workspace.snapshot.create",
  summary: "Keep memory and disk of a workspace, for a reset or a fork of it",
  description:
    "Saves files, processes, servers, REPLs and /tmp. The workspace pauses for the copy and then goes on. `reset --snapshot` returns to the " +
    "snapshot; `fork --snapshot` makes a workspace from it. A snapshot of a stopped workspace has its files only.",
  cli: {
    path: ["workspace", "snapshot", "create"],
    args: ["workspace", "name"],
    examples: ["pyro snapshot create fix green"]
  },
  mcp: {
    tool: "workspace_snapshot_create",
    ...full,
    title: "Take a snapshot",
    description: "Save a workspace's memory, processes and disk under a name",
    omits: ["pause_ms"]
  },
  states: at(settledAwake, waits),
  on: "entry",
  needsRoom: true,
  errors: ["SnapshotExists"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: SnapshotPayload,
  event: SnapshotEvent,
  result: SnapshotResult,
  fold: () => foldTo("Taken", ({ snapshot }, warnings) => ({ snapshot, warnings }))
})

export const workspaceSnapshotList = unary({
  name: "workspace.snapshot.list",
  summary: "List a workspace's snapshots, oldest first",
  description:
    "Shows kind, size and durability of each snapshot of `pyro snapshot create`. `pyro saved list` shows those of `pyro snapshot save`.",
  cli: { path: ["workspace", "snapshot", "list"], args: ["workspace"], examples: ["pyro snapshot list fix"] },
  mcp: {
    tool: "workspace_snapshot_list",
    ...full,
    title: "List snapshots",
    description: "List a workspace's snapshots, oldest first",
    omits: ["pause_ms"]
  },
  states: at(every),
  on: "entry",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceRef,
  result: lazy(() =>
    Schema.Struct({ snapshots: Schema.Array(SnapshotInfo()).annotate({ description: "Snapshots, oldest first" }) })
  )
})

export const workspaceSnapshotDelete = unary({
  name: "workspace.snapshot.delete",
  summary: "Delete a snapshot of a workspace",
  description: "Frees the snapshot's disk space. The workspace, its other snapshots and its forks stay.",
  cli: {
    path: ["workspace", "snapshot", "delete"],
    args: ["workspace", "name"],
    completes: { name: "snapshots" },
    examples: ["pyro snapshot delete fix green"]
  },
  mcp: {
    tool: "workspace_snapshot_delete",
    ...full,
    title: "Delete a snapshot",
    description: "Delete a snapshot; the workspace and its forks stay"
  },
  states: at(settledOrAttaching, waits),
  on: "entry",
  errors: ["SnapshotNotFound"],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: SnapshotPayload,
  result: lazy(() => Schema.Struct({ deleted: string("Name of the deleted snapshot") }))
})
