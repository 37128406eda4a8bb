import { Schema } from "effect"
import { between, defaulted, optional } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"

const HOST_ADMINISTRATION = { missing: "host administration" } as const
const none = lazy(() => Schema.Struct({}))

export const DaemonStatus = lazy(() =>
  Schema.Struct(snakeFields({
    running: Schema.Boolean,
    pid: optional(Schema.Int),
    version: optional(Schema.String),
    startedAt: optional(Schema.String.annotations({ description: "ISO 8601" })),
    logPath: Schema.String.annotations({ description: "What it said, and said before" }),
    vms: Schema.Array(
      Schema.Struct(snakeFields({
        id: Schema.String,
        purpose: Schema.String.annotations({ description: "What it serves, such as `workspace`, `pool` or `run`" }),
        workspace: optional(Schema.String),
        pid: optional(Schema.Int),
        memoryMib: Schema.Int
      }))
    ).annotations({ description: "MicroVMs of this installation" })
  }))
)
export type DaemonStatus = ReturnType<typeof DaemonStatus>["Type"]

export const daemonStatus = unary({
  name: "daemon.status",
  summary: "Show whether pyro's daemon runs, and what uses what",
  description: "The daemon holds the workspaces. It starts when it is needed and leaves when nothing is left to hold.",
  cli: { path: ["daemon", "status"], args: [], exits: "own", examples: ["pyro daemon status --json"] },
  mcp: HOST_ADMINISTRATION,
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: none,
  result: DaemonStatus
})

export const daemonStop = unary({
  name: "daemon.stop",
  summary: "End pyro's daemon; workspaces and their commands go on",
  description: "The next command that needs it starts a new one, which takes the workspaces up where they are.",
  cli: { path: ["daemon", "stop"], args: [], exits: "own", examples: ["pyro daemon stop"] },
  mcp: HOST_ADMINISTRATION,
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: none,
  result: lazy(() => Schema.Struct({ stopped: Schema.Boolean }))
})

export const daemonLogs = unary({
  name: "daemon.logs",
  summary: "Show what pyro's daemon said last",
  description: "Shows the end of the daemon's log file.",
  cli: { path: ["daemon", "logs"], args: [], exits: "own", examples: ["pyro daemon logs"] },
  mcp: HOST_ADMINISTRATION,
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() =>
    Schema.Struct(snakeFields({
      maxBytes: defaulted(
        between({ from: 1, to: 16_777_216, unit: "bytes", description: "Most bytes to show" }),
        () => 65_536
      )
    }))
  ),
  result: lazy(() => Schema.Struct({ text: Schema.String }))
})
