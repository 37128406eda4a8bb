import { Schema } from "effect"
import { between, defaulted, optional } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { Outcome } from "./command.ts"
import { droppedBytes, StartedExecId } from "./exec-fields.ts"
import { workspaceField } from "./workspace-field.ts"

const LogEntry = lazy(() =>
  Schema.Struct(snakeFields({
    execId: Schema.String,
    command: Schema.Array(Schema.String),
    startedAt: Schema.String.annotations({ description: "ISO 8601" }),
    outcome: Schema.Union(Outcome(), Schema.Literal("running", "lost")).annotations({
      description: "`lost`: the microVM ended before the command's end was known"
    }),
    status: optional(Schema.Int),
    durationMs: optional(Schema.Number),
    outputBytes: Schema.Int.annotations({ description: "Bytes that it printed in all" }),
    droppedBytes: droppedBytes(),
    inherited: optional(
      Schema.Literal(true).annotations({
        description: "It ran already in the workspace, or the snapshot, that this one goes on from"
      })
    )
  }))
)
export type LogEntry = ReturnType<typeof LogEntry>["Type"]

export const LogsPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    execId: optional(StartedExecId().annotations({ description: "Give this command's output instead of the list" })),
    cursor: defaulted(
      Schema.Int.pipe(Schema.nonNegative()).annotations({
        description: "Where in the command's output to begin, in bytes of stdout and stderr together"
      }),
      () => 0
    ),
    encoding: defaulted(
      Schema.Literal("text", "base64").annotations({
        description: "How the output is given: as text, in which bytes that are not UTF-8 are replaced, or exactly"
      }),
      () => "text" as const
    ),
    maxBytes: optional(
      // As text, three bytes for each that is not UTF-8, it is one message to the client: 16 MiB at most.
      between({
        from: 1,
        to: 4_194_304,
        unit: "bytes",
        description: "Maximum bytes of output to return. Default: 1048576 with --json, unlimited without"
      })
    ),
    limit: defaulted(
      between({ from: 1, to: 10_000, unit: "", description: "Most commands to list, newest kept" }),
      () => 100
    )
  }))
)
export type LogsPayload = ReturnType<typeof LogsPayload>["Type"]

export const LogsResult = lazy(() =>
  Schema.Struct(snakeFields({
    commands: Schema.Array(LogEntry()),
    olderCount: optional(
      Schema.Int.annotations({ description: "Older commands that are not listed; absent when there are none" })
    ),
    output: optional(
      Schema.String.annotations({ description: "What the command printed, stdout and stderr in the order they came" })
    ),
    nextCursor: optional(
      Schema.Int.annotations({ description: "Where to go on; absent at the end of a finished log" })
    ),
    skippedBytes: optional(
      Schema.Int.annotations({ description: "Bytes between the cursor and this output that are no longer kept" })
    ),
    lossy: optional(Schema.Boolean.annotations({ description: "Bytes that are not UTF-8 were replaced" }))
  }))
)
export type LogsResult = ReturnType<typeof LogsResult>["Type"]

export const workspaceLogs = unary({
  name: "workspace.logs",
  summary: "List a workspace's commands, or give one's output",
  description: "Lists what ran in the workspace since its creation or last reset, with outcome and duration; with an " +
    "exec id, gives that command's output from a cursor on. With --follow, prints what the command prints until it ends, and leaves with 0 " +
    "whatever the command's status is. Ctrl-C ends the following only: the command goes on.",
  cli: {
    path: ["workspace", "logs"],
    args: ["workspace"],
    argsOrFlags: ["exec_id"],
    extras: {
      follow: {
        _tag: "switch",
        description:
          "Print the output so far, then the rest as it comes, until the command ends. Without an id: of the newest " +
          "running command, or of the newest one if none runs"
      }
    },
    exits: "own",
    examples: ["pyro workspace logs fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f", "pyro workspace logs fix --follow"]
  },
  mcp: {
    tool: "workspace_logs",
    profiles: ["full"],
    title: "Show commands",
    description: "List a workspace's commands, or give one's output from a cursor on",
    arguments: {
      workspace: {},
      exec_id: { description: "Give this command's output" },
      cursor: { description: "next_cursor" },
      max_bytes: { default: 8000, description: "[8000]" },
      limit: { default: 50, description: "Newest commands [50]" },
      raw: { own: "boolean", description: "Keep terminal codes of the output" }
    },
    omits: ["dropped_bytes"]
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: LogsPayload,
  result: LogsResult
})
