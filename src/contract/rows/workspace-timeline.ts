import { Schema } from "effect"
import { between, defaulted, flag, optional, string } from "../text/fields.ts"
import { byName } from "../text/names.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy, streaming } from "./operation.ts"
import { at, every } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const TimelinePayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    limit: defaulted(
      between({ from: 1, to: 1_000, description: "Maximum number of entries to show at first, the newest" }),
      () => 200
    ),
    only: optional(
      Schema.Literals(["events", "commands", "connections", "requests"]).annotate({
        description:
          "Entries to show. `events`: steps of the workspace's life, and crossings of the host. `requests`: what models asked, and what people and programs changed. Default: all"
      })
    ),
    follow: flag("Go on with each new entry, and each change of one, until Ctrl-C")
  })
)
export type TimelinePayload = ReturnType<typeof TimelinePayload>["Type"]

const TimelineEntry = lazy(() =>
  snakeStruct({
    key: string("Name of the entry in this timeline. A later entry with this key replaces the earlier one"),
    at: string("Time of the entry, ISO 8601. For a command: its start"),
    kind: string("`command`, `network`, `request`, or the kind of an event, such as `export`"),
    text: string("The entry in a sentence"),
    details: byName(Schema.Unknown).annotate({
      description:
        "Fields of the kind: of a command as in `logs`, of a connection as in `network log`, of an event as in `events`, of a request by whom and with which arguments"
    })
  })
)
export type TimelineEntry = ReturnType<typeof TimelineEntry>["Type"]

export const TimelineEntries = lazy(() =>
  snakeStruct({
    _tag: Schema.Literal("Entries"),
    entries: Schema.Array(TimelineEntry()).annotate({ description: "Entries, oldest first" })
  })
)
export type TimelineEntries = ReturnType<typeof TimelineEntries>["Type"]

export const TimelineResult = lazy(() =>
  snakeStruct({
    entries: Schema.Array(TimelineEntry()).annotate({ description: "Entries, oldest first" })
  })
)
export type TimelineResult = ReturnType<typeof TimelineResult>["Type"]

export const workspaceTimeline = streaming({
  name: "workspace.timeline",
  summary: "Show all that happened in a workspace: commands, events and connections",
  description:
    "Shows commands with their outcome and duration, each step of the workspace's life, each crossing of the host, and each connection and " +
    "denial of its network, in the order of time; also what models asked, and what people and programs changed, since the start of the daemon. With --follow, goes on within a fifth of a second; a command appears when it starts, and again " +
    "when it ends.",
  cli: {
    path: ["workspace", "timeline"],
    args: ["workspace"],
    examples: [
      "pyro timeline fix",
      "pyro timeline fix --follow",
      "pyro timeline fix --only events",
      "pyro timeline fix --limit 20 --json"
    ]
  },
  mcp: { missing: "workspace_summary has what a model needs" },
  states: at(every),
  on: "entry",
  endsWithConnection: true,
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: TimelinePayload,
  event: TimelineEntries,
  result: TimelineResult,
  fold: () => {
    const known = new Map<string, TimelineEntry>()
    let isBegun = false
    return {
      add: ({ entries }) => {
        isBegun = true
        for (const entry of entries) known.set(entry.key, entry)
      },
      result: () => isBegun ? { entries: [...known.values()] } : undefined
    }
  }
})
