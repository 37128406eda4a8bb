import { Schema } from "effect"
import { between, defaulted, optional } from "../text/fields.ts"
import { byName } from "../text/names.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"
import { at, every } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const EventsPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    cursor: optional(
      Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))).annotate({
        description: "`next_cursor` of an earlier answer: show the events after it. Default: show the newest"
      })
    ),
    limit: defaulted(
      between({ from: 1, to: 1_000, unit: "", description: "Maximum number of events to show" }),
      () => 100
    ),
    follow: defaulted(
      Schema.Boolean.annotate({
        description:
          "Wait for the next event if there is none. The command line goes on until Ctrl-C, with --json as one event a line"
      }),
      () => false
    )
  })
)
export type EventsPayload = ReturnType<typeof EventsPayload>["Type"]

const EventEntry = lazy(() =>
  snakeStruct({
    at: Schema.String.annotate({ description: "Time of the event, ISO 8601" }),
    kind: Schema.String.annotate({ description: "Kind of the event, such as `started` or `export`" }),
    text: Schema.String.annotate({ description: "The event in a sentence" }),
    details: byName(Schema.Unknown).annotate({ description: "Fields of this kind of event" })
  })
)
export type EventEntry = ReturnType<typeof EventEntry>["Type"]

export const EventsResult = lazy(() =>
  snakeStruct({
    events: Schema.Array(EventEntry()).annotate({ description: "Events, oldest first" }),
    nextCursor: Schema.Int.annotate({ description: "Cursor of the next call" })
  })
)
export type EventsResult = ReturnType<typeof EventsResult>["Type"]

export const workspaceEvents = unary({
  name: "workspace.events",
  summary: "Show what happened to a workspace, and what crossed the host",
  description:
    "Shows each step of the workspace's life (created, started, stopped, died with the end of the guest's console), and each crossing of the " +
    "host: seed, pushes, exports, network policies, published ports. The log outlives resets, and goes with the workspace. A guest cannot " +
    "change it.",
  cli: {
    path: ["workspace", "events"],
    args: ["workspace"],
    exits: "own",
    examples: ["pyro events fix", "pyro events fix --follow --json"]
  },
  mcp: { missing: "workspace_summary and workspace_status have what a model needs" },
  states: at(every),
  on: "entry",
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: EventsPayload,
  result: EventsResult
})
