import { Schema } from "effect"
import { between, defaulted, flag, integer, number, optional, string } from "../text/fields.ts"
import { byName } from "../text/names.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy, streaming, unary } from "./operation.ts"
import { at, every } from "./states.ts"
import { Labels, workspaceField } from "./workspace-field.ts"
import { WorkspaceState } from "./workspace-info.ts"

export const EventsPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    cursor: optional(
      Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))).annotate({
        description: "`next_cursor` of an earlier answer: show the events after it. Default: show the newest"
      })
    ),
    limit: defaulted(between({ from: 1, to: 1_000, description: "Maximum number of events to show" }), () => 100),
    follow: flag("Wait for the next event if there is none")
  })
)
export type EventsPayload = ReturnType<typeof EventsPayload>["Type"]

const EventEntry = lazy(() =>
  snakeStruct({
    at: string("Time of the event, ISO 8601"),
    kind: string("Kind of the event, such as `started` or `export`"),
    text: string("The event in a sentence"),
    details: byName(Schema.Unknown).annotate({ description: "Fields of this kind of event" })
  })
)
export type EventEntry = ReturnType<typeof EventEntry>["Type"]

export const EventsResult = lazy(() =>
  snakeStruct({
    events: Schema.Array(EventEntry()).annotate({ description: "Events, oldest first" }),
    nextCursor: integer("Cursor of the next call")
  })
)
export type EventsResult = ReturnType<typeof EventsResult>["Type"]

export const workspaceEvents = unary({
  name: "workspace.events",
  summary: "Show what happened to a workspace, and what crossed the host, page by page",
  description:
    "Shows each step of the workspace's life (created, started, stopped, died with the end of the guest's console), and each crossing of the " +
    "host: seed, pushes, exports, network policies, published ports. The log outlives resets, and goes with the workspace. A guest cannot " +
    "change it. `timeline` shows people the same; a program that goes on after a pause needs the cursors of this operation.",
  cli: {
    path: ["workspace", "events"],
    shownBy: ["workspace", "timeline"],
    args: ["workspace"],
    examples: []
  },
  mcp: { missing: "workspace_summary and workspace_status have what a model needs" },
  states: at(every),
  on: "entry",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: EventsPayload,
  result: EventsResult
})

export const WatchPayload = lazy(() =>
  snakeStruct({
    labels: defaulted(
      Labels().annotate({ description: "Labels that the workspaces must have. Default: none" }),
      () => ({})
    ),
    intervalMs: defaulted(
      between({ from: 100, to: 3_600_000, unit: "ms", description: "Time between two tables if nothing changes" }),
      () => 2_000
    )
  })
)
export type WatchPayload = ReturnType<typeof WatchPayload>["Type"]

const WatchedWorkspace = lazy(() =>
  snakeStruct({
    id: string("Id of the workspace"),
    name: optional(string("Name of the workspace. Absent if it has none")),
    state: WorkspaceState(),
    cpuPercent: optional(
      number(
        "CPU time of its microVM since the table before, in percent of one CPU. Absent without a microVM, and in the first table"
      )
    ),
    memoryBytes: optional(number("Resident memory of its microVM's process. Absent without a microVM")),
    sharedBytes: optional(
      number("The part of memoryBytes that it maps from files, which other microVMs share. Absent without a microVM")
    ),
    diskBytes: number("Bytes of the host's disk that its changes take, and the memory of a paused workspace"),
    execs: integer("Number of running commands"),
    services: integer("Number of services that run"),
    shells: integer("Number of open shells"),
    ports: integer("Number of ports that the host listens on")
  })
)
export type WatchedWorkspace = ReturnType<typeof WatchedWorkspace>["Type"]

export const WatchTable = lazy(() =>
  snakeStruct({
    _tag: Schema.Literal("Table"),
    at: string("Time of the table, ISO 8601"),
    workspaces: Schema.Array(WatchedWorkspace()).annotate({ description: "All workspaces, oldest first" })
  })
)
export type WatchTable = ReturnType<typeof WatchTable>["Type"]

export const watch = streaming({
  name: "watch",
  summary: "Show all workspaces live, with their use of the host",
  description:
    "Shows a table of the workspaces with CPU, memory, disk, commands, services, shells and ports, and renews the table whenever a workspace " +
    "changes, and each --interval-ms. q or Ctrl-C ends the display. Prints one table if stdout is no terminal, and with --json.",
  cli: {
    path: ["top"],
    args: [],
    flags: { labels: "label" },
    extras: {
      follow: {
        _tag: "switch",
        description:
          "Print a line for each workspace that changes, with its last command, in place of the table, until Ctrl-C. With --json, print one event a line"
      }
    },
    examples: ["pyro top", "pyro top --json", "pyro top --follow --label task=42 --json"]
  },
  mcp: { missing: "interactive terminal; workspace_list shows the workspaces" },
  home: "daemon",
  endsWithConnection: true,
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: WatchPayload,
  event: WatchTable,
  result: WatchTable,
  fold: () => {
    let last: WatchTable | undefined
    return {
      add: (table) => {
        last = table
      },
      result: () => last
    }
  }
})
