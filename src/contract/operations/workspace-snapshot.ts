import { Schema } from "effect"
import { optional } from "../fields.ts"
import { Notice } from "../notice.ts"
import { type Folding, lazy, streaming, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { snapshotField, workspaceField } from "./workspace-field.ts"

const full = { profiles: ["full"] } as const

export const SnapshotInfo = lazy(() =>
  Schema.Struct(snakeFields({
    name: Schema.String,
    kind: Schema.Literal("memory", "disk").annotations({
      description: "`memory`: memory and disk of a running workspace; `disk`: it was not running, its files alone"
    }),
    createdAt: Schema.String.annotations({ description: "ISO 8601" }),
    durable: Schema.Boolean.annotations({
      description:
        "Whether it is on the host's disk for good, and survives a power cut; some seconds after its creation"
    }),
    memoryBytes: Schema.Int.annotations({ description: "Room that its memory takes on the host's disk" }),
    layers: Schema.Int.annotations({ description: "Layers that its disk consists of; shared with the workspace" }),
    runningCommands: Schema.Int.annotations({ description: "Commands that run in it" }),
    pauseMs: optional(Schema.Number.annotations({ description: "How long the workspace stood still for it" }))
  }))
)
export type SnapshotInfo = ReturnType<typeof SnapshotInfo>["Type"]

export const SnapshotPayload = lazy(() =>
  Schema.Struct(snakeFields({ workspace: workspaceField(), name: snapshotField("Name of the snapshot") }))
)
export type SnapshotPayload = ReturnType<typeof SnapshotPayload>["Type"]

export const SnapshotEvent = lazy(() =>
  Schema.Union(Notice(), Schema.TaggedStruct("Taken", { snapshot: SnapshotInfo() }))
)
export type SnapshotEvent = ReturnType<typeof SnapshotEvent>["Type"]

const SnapshotResult = lazy(() =>
  Schema.Struct(snakeFields({ snapshot: SnapshotInfo(), warnings: Schema.Array(Schema.String) }))
)
type SnapshotResult = ReturnType<typeof SnapshotResult>["Type"]

const fold = (): Folding<SnapshotEvent, SnapshotResult> => {
  const warnings: Array<string> = []
  let snapshot: SnapshotInfo | undefined
  return {
    add: (event) => {
      if (event._tag === "Taken") snapshot = event.snapshot
      else if (event.level === "warning") warnings.push(event.message)
    },
    result: () => snapshot === undefined ? undefined : { snapshot, warnings }
  }
}

export const workspaceSnapshotCreate = streaming({
  name: "workspace.snapshot.create",
  summary: "Keep a workspace's memory and disk as they are now, under a name",
  description:
    "Files, processes, servers, REPLs and /tmp as they are at this moment; the workspace stands still for the copy and goes on. " +
    "`reset --snapshot` brings it back, `fork --snapshot` begins another workspace there. Of a workspace that does not run, its " +
    "files.",
  cli: {
    path: ["workspace", "snapshot", "create"],
    args: ["workspace", "name"],
    exits: "own",
    examples: ["pyro workspace snapshot create fix green"]
  },
  mcp: {
    tool: "workspace_snapshot_create",
    ...full,
    title: "Take a snapshot",
    description: "Keep a workspace's memory, processes and disk as they are now, under a name",
    omits: ["pause_ms"]
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: SnapshotPayload,
  event: SnapshotEvent,
  result: SnapshotResult,
  fold
})

export const workspaceSnapshotList = unary({
  name: "workspace.snapshot.list",
  summary: "List a workspace's snapshots, oldest first",
  description: "Shows what each holds, whether it is on disk for good, and what it takes there.",
  cli: {
    path: ["workspace", "snapshot", "list"],
    args: ["workspace"],
    exits: "own",
    examples: ["pyro workspace snapshot list fix"]
  },
  mcp: {
    tool: "workspace_snapshot_list",
    ...full,
    title: "List snapshots",
    description: "List a workspace's snapshots, oldest first",
    omits: ["pause_ms"]
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({ workspace: workspaceField() })),
  result: lazy(() => Schema.Struct({ snapshots: Schema.Array(SnapshotInfo()) }))
})

export const workspaceSnapshotDelete = unary({
  name: "workspace.snapshot.delete",
  summary: "Delete a snapshot",
  description: "Gives its room back. The workspace, its other snapshots and its forks stay as they are.",
  cli: {
    path: ["workspace", "snapshot", "delete"],
    args: ["workspace", "name"],
    completes: { name: "snapshots" },
    exits: "own",
    examples: ["pyro workspace snapshot delete fix green"]
  },
  mcp: {
    tool: "workspace_snapshot_delete",
    ...full,
    title: "Delete a snapshot",
    description: "Delete a snapshot; the workspace and its forks stay"
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: SnapshotPayload,
  result: lazy(() => Schema.Struct({ deleted: Schema.String }))
})
