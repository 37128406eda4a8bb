import { Schema } from "effect"
import { between, defaulted, integer, number, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy, streaming } from "./operation.ts"
import { Labels } from "./workspace-field.ts"
import { WorkspaceInfo } from "./workspace-info.ts"
import { LogEntry } from "./workspace-logs.ts"
import { NetworkRecord } from "./workspace-network.ts"

export const WorkspaceWatchPayload = lazy(() =>
  snakeStruct({
    labels: defaulted(
      Labels().annotate({ description: "Labels that the workspaces must have. Default: none" }),
      () => ({})
    ),
    intervalMs: defaulted(
      between({
        from: 100,
        to: 3_600_000,
        unit: "ms",
        description: "Time between two looks at the use of processor, memory and disk"
      }),
      () => 2_000
    )
  })
)
export type WorkspaceWatchPayload = ReturnType<typeof WorkspaceWatchPayload>["Type"]

const ObservedWorkspace = lazy(() =>
  snakeStruct({
    workspace: WorkspaceInfo().annotate({ description: "The workspace, as in `workspace list`" }),
    cpuPercent: optional(
      number(
        "CPU time of its microVM since the look before, in percent of one CPU. Absent without a microVM, and at first"
      )
    ),
    memoryBytes: optional(number("Resident memory of its microVM's process. Absent without a microVM")),
    sharedBytes: optional(
      number("The part of memoryBytes that it maps from files, which other microVMs share. Absent without a microVM")
    ),
    lastCommand: optional(LogEntry().annotate({ description: "The newest command. Absent if there is none" })),
    commandCount: integer("Number of commands since create or the last reset"),
    failedCount: integer("Number of these that ended with another status than 0"),
    lastDenied: optional(
      NetworkRecord().annotate({
        description: "The newest of the last denials of its network policy. Absent if there is none"
      })
    )
  })
)
export type ObservedWorkspace = ReturnType<typeof ObservedWorkspace>["Type"]

export const WorkspacesChanged = lazy(() =>
  snakeStruct({
    _tag: Schema.Literal("Changed"),
    at: string("Time of the look, ISO 8601"),
    workspaces: Schema.Array(ObservedWorkspace()).annotate({
      description: "Workspaces that changed, oldest first. At first: all"
    }),
    gone: Schema.Array(Schema.String).annotate({
      description: "Ids of workspaces that were deleted, or no longer have the labels"
    })
  })
)
export type WorkspacesChanged = ReturnType<typeof WorkspacesChanged>["Type"]

const WatchedWorkspaces = lazy(() =>
  snakeStruct({
    workspaces: Schema.Array(ObservedWorkspace()).annotate({ description: "All workspaces, oldest first" })
  })
)
type WatchedWorkspaces = ReturnType<typeof WatchedWorkspaces>["Type"]

export const workspaceWatch = streaming({
  name: "workspace.watch",
  summary: "Follow the workspaces: each change, as it happens",
  description:
    "Shows all workspaces, and then each one that changes, within a fifth of a second: its state, last command, ports, network and use of the " +
    "host.",
  cli: {
    path: ["workspace", "watch"],
    shownBy: ["top"],
    args: [],
    flags: { labels: "label" },
    examples: []
  },
  mcp: { missing: "a model asks for the state when it needs the state: workspace_list" },
  home: "daemon",
  endsWithConnection: true,
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceWatchPayload,
  event: WorkspacesChanged,
  result: WatchedWorkspaces,
  fold: () => {
    const known = new Map<string, ObservedWorkspace>()
    let isBegun = false
    return {
      add: ({ gone, workspaces }) => {
        isBegun = true
        for (const id of gone) known.delete(id)
        for (const one of workspaces) known.set(one.workspace.id, one)
      },
      result: () => isBegun ? { workspaces: [...known.values()] } : undefined
    }
  }
})
