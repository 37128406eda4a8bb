import { Schema } from "effect"
import { between, boolean, defaulted, integer, milliseconds, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { droppedBytes, graceSeconds, Outcome, processId, StartedExecId } from "./command.ts"
import { lazy, unary } from "./operation.ts"
import { at, withCommands, withProcesses } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const LogEntry = lazy(() =>
  snakeStruct({
    execId: string("Id of the command"),
    pid: optional(processId("Absent unless the command runs")),
    command: Schema.Array(Schema.String).annotate({ description: "Program and arguments" }),
    startedAt: string("Start of the command, ISO 8601"),
    outcome: Schema.Union([Outcome(), Schema.Literals(["running", "lost"])]).annotate({
      description: "How the command ended, or `running`. `lost`: the microVM ended before the command's end was known"
    }),
    status: optional(integer("Exit status. Absent while the command runs")),
    durationMs: optional(milliseconds("Time from start to end", "Absent while the command runs")),
    outputBytes: integer("Total bytes of its output"),
    droppedBytes: droppedBytes(),
    client: optional(
      string(
        "Name and version of the MCP client that started the command, in its own words. Absent for people and programs"
      )
    ),
    inherited: optional(
      Schema.Literal(true).annotate({
        description: "True if the command was started before the fork or the snapshot that this workspace comes from"
      })
    )
  })
)
export type LogEntry = ReturnType<typeof LogEntry>["Type"]

export const LogsPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    execId: optional(
      StartedExecId().annotate({
        description: "Id of a command: show its output instead of the list. Default: the list"
      })
    ),
    cursor: defaulted(
      Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))).annotate({
        description: "Position in the output to start from, in bytes of stdout and stderr together"
      }),
      () => 0
    ),
    encoding: defaulted(
      Schema.Literals(["text", "base64"]).annotate({
        description: "`text`: bytes that are not UTF-8 are replaced. `base64`: the exact bytes"
      }),
      () => "text" as const
    ),
    maxBytes: optional(
      // A message has 16 MiB at most. As text, a byte that is not UTF-8 takes three bytes.
      between({
        from: 1,
        to: 4_194_304,
        unit: "bytes",
        description: "Maximum bytes of output to return. Default: 1048576 with --json, unlimited without"
      })
    ),
    limit: defaulted(
      between({ from: 1, to: 10_000, description: "Maximum number of commands to list, the newest" }),
      () => 100
    )
  })
)
export type LogsPayload = ReturnType<typeof LogsPayload>["Type"]

export const LogsResult = lazy(() =>
  snakeStruct({
    commands: Schema.Array(LogEntry()).annotate({ description: "Commands, oldest first" }),
    olderCount: optional(integer("Number of older commands that are not listed. Absent if there are none")),
    output: optional(
      string("Output of the command, stdout and stderr in the order of arrival. Absent without `exec_id`")
    ),
    nextCursor: optional(integer("Cursor for the next call. Absent at the end of a finished log")),
    skippedBytes: optional(
      integer("Bytes between the cursor and this output that were dropped. Absent if there are none")
    ),
    lossy: optional(boolean("Whether bytes that are not UTF-8 were replaced by U+FFFD"))
  })
)
export type LogsResult = ReturnType<typeof LogsResult>["Type"]

export const workspaceLogs = unary({
  name: "workspace.logs",
  summary: "List a workspace's commands, or show the output of one",
  description:
    "Lists the commands since create or the last reset, with outcome and duration. With an exec id, shows the output of that command from " +
    "--cursor on. With --follow, prints the output until the command ends, and exits with 0 whatever the command's status is. " +
    "Ctrl-C ends only pyro; the command goes on.",
  cli: {
    path: ["workspace", "logs"],
    args: ["workspace"],
    argsOrFlags: ["exec_id"],
    extras: {
      follow: {
        _tag: "switch",
        description:
          "Print the output so far, and more until the command ends. Without an id: of the newest running command, " +
          "or of the newest command if none runs"
      }
    },
    examples: ["pyro logs fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f", "pyro logs fix --follow"]
  },
  mcp: {
    tool: "workspace_logs",
    profiles: ["full"],
    title: "Show commands",
    description: "List a workspace's commands, or show the output of one from a cursor on",
    arguments: {
      workspace: {},
      exec_id: { description: "Show this command's output" },
      cursor: { description: "next_cursor" },
      max_bytes: { default: 6500, description: "[6500]" },
      limit: { default: 50, description: "Newest commands [50]" },
      raw: { own: "boolean", description: "Show terminal codes of the output" }
    },
    omits: ["dropped_bytes", "pid"]
  },
  states: at(withCommands),
  on: "residents",
  errors: ["ExecNotFound"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: LogsPayload,
  result: LogsResult
})

export const CancelPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    execId: string("Id of the command, as `workspace logs` lists it"),
    graceSeconds: optional(
      graceSeconds(
        "Seconds between SIGINT and SIGKILL to the command and its children. 0 to 3600; 0 kills at once. Default: the command's own"
      )
    )
  })
)
export type CancelPayload = ReturnType<typeof CancelPayload>["Type"]

export const CancelResult = lazy(() =>
  snakeStruct({
    execId: string("Id of the command"),
    cancelled: boolean("True if the cancel ended the command. False if the command had ended before")
  })
)
export type CancelResult = ReturnType<typeof CancelResult>["Type"]

export const workspaceCancel = unary({
  name: "workspace.cancel",
  summary: "End a running command of a workspace",
  description:
    "Sends SIGINT to the command, and SIGKILL to the command and its children after --grace-seconds. Waits for the end. The output is " +
    "kept. A command that handles SIGINT chooses its exit status. A second cancel of the same command kills at once.",
  cli: {
    path: ["workspace", "cancel"],
    args: ["workspace", "exec_id"],
    examples: ["pyro cancel fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"]
  },
  mcp: {
    tool: "workspace_cancel",
    profiles: ["full"],
    arguments: {
      workspace: {},
      exec_id: { description: "Id of the command, from workspace_logs" },
      grace_seconds: { description: "From SIGINT to the kill [the command's own]" }
    }
  },
  states: at(withProcesses),
  on: "residents",
  errors: ["ExecNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: CancelPayload,
  result: CancelResult
})
