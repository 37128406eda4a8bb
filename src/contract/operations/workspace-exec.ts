import { Schema } from "effect"
import { boundedOutput } from "../bounded-output.ts"
import { STILL_RUNNING } from "../exit-status.ts"
import { between, defaulted, optional } from "../fields.ts"
import { Notice } from "../notice.ts"
import { type Folding, lazy, streaming, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { command, ended, fieldsOfCommand, graceSeconds, Outcome, script, terminalFields } from "./command.ts"
import { workspaceField } from "./workspace-field.ts"

/** Names one command for good: minted by the client, so that asking again never runs it twice. */
export const ExecId = lazy(() =>
  Schema.String.pipe(Schema.pattern(/^[0-9a-f]{32}$/, { message: () => "must be 32 lower-case hexadecimal digits" }))
)

/** A command that is known already, also by the beginning of its id. */
const StartedExecId = lazy(() =>
  Schema.String.pipe(
    Schema.pattern(/^[0-9a-f]{1,32}$/, {
      message: () => "must be 32 lower-case hexadecimal digits, or the first of them"
    })
  )
)

export const ExecPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    command: command(),
    script: script(),
    execId: optional(
      StartedExecId().annotations({
        description:
          "Id of the command. One that is known already is not run again: its output and outcome are given anew"
      })
    ),
    detach: defaulted(
      Schema.Boolean.annotations({ description: "Leave it running and return its id at once" }),
      () => false
    ),
    waitSeconds: optional(
      Schema.Number.pipe(
        Schema.filter((seconds) => seconds >= 0 && seconds <= 86_400, { message: () => "must be 0 to 86400 seconds" }),
        Schema.annotations({
          description: "Stop waiting after so many seconds and return its id, with status 75; the command goes on"
        })
      )
    ),
    cursor: optional(
      Schema.Int.pipe(Schema.nonNegative()).annotations({
        description:
          "With the id of a known command: where in its output to go on, in bytes of stdout and stderr together"
      })
    ),
    ...fieldsOfCommand(),
    ...terminalFields()
  }))
)
export type ExecPayload = ReturnType<typeof ExecPayload>["Type"]

const droppedBytes = () =>
  optional(
    Schema.Int.annotations({ description: "Bytes of its output that the log does not have; absent when it has all" })
  )

export const ExecEvent = lazy(() =>
  Schema.Union(
    Schema.TaggedStruct(
      "Started",
      snakeFields({
        execId: Schema.String,
        stdinBytes: optional(
          Schema.Int.annotations({
            description: "Bytes of input that the command has already, when it is taken up again"
          })
        )
      })
    ),
    Schema.TaggedStruct("Output", {
      from: Schema.Literal("stdout", "stderr"),
      bytes: Schema.Uint8ArrayFromSelf.annotations({ jsonSchema: { type: "string", contentEncoding: "binary" } }),
      next: Schema.Int.annotations({
        description: "Cursor behind these bytes. Where it grew by more, the bytes between are no longer kept"
      })
    }),
    Notice(),
    Schema.TaggedStruct("Exited", snakeFields({ ...ended(), droppedBytes: droppedBytes() })),
    Schema.TaggedStruct("Detached", snakeFields({ execId: Schema.String }))
  )
)
export type ExecEvent = ReturnType<typeof ExecEvent>["Type"]

export const ExecResult = lazy(() => {
  const { durationMs, status, ...end } = ended()
  return Schema.Struct(snakeFields({
    execId: Schema.String,
    ...end,
    status: optional(status),
    durationMs: optional(durationMs),
    outcome: Schema.Union(Outcome(), Schema.Literal("running")).annotations({
      description: "`running`: it goes on, and has no status or duration yet"
    }),
    stdout: Schema.String,
    stderr: Schema.String,
    stdoutBytes: Schema.Int.annotations({ description: "Bytes the command wrote to stdout in all" }),
    stderrBytes: Schema.Int.annotations({ description: "Bytes the command wrote to stderr in all" }),
    truncated: Schema.Boolean.annotations({ description: "The middle of stdout or stderr is left out; `logs` has it" }),
    droppedBytes: droppedBytes(),
    notices: optional(
      Schema.Array(Schema.String).annotations({
        description: "What the caller should know beside the output; absent when nothing"
      })
    ),
    nextCursor: Schema.Int.annotations({ description: "How far the output came: where to go on listening" }),
    lossy: Schema.Boolean.annotations({ description: "Bytes that are not UTF-8 were replaced" })
  }))
})
export type ExecResult = ReturnType<typeof ExecResult>["Type"]

const fold = (payload: ExecPayload): Folding<ExecEvent, ExecResult> => {
  const output = { stdout: boundedOutput(payload.maxBytes), stderr: boundedOutput(payload.maxBytes) }
  let execId = ""
  let exited: Omit<Extract<ExecEvent, { readonly _tag: "Exited" }>, "_tag"> | undefined
  let detached = false
  const notices: Array<string> = []
  let nextCursor = payload.cursor ?? 0
  return {
    add: (event) => {
      switch (event._tag) {
        case "Output":
          nextCursor = event.next
          return output[event.from].add(event.bytes)
        case "Exited": {
          const { _tag, ...how } = event
          exited = how
          return
        }
        case "Detached":
          detached = true
          return
        case "Started":
          execId = event.execId
          return
        case "Notice":
          if (event.level === "warning") notices.push(event.message)
          return
      }
    },
    result: () => {
      if (exited === undefined && !detached) return undefined
      const stdout = output.stdout.kept()
      const stderr = output.stderr.kept()
      return {
        execId,
        outcome: "running" as const,
        ...exited,
        stdout: stdout.text,
        stderr: stderr.text,
        stdoutBytes: stdout.bytes,
        stderrBytes: stderr.bytes,
        truncated: stdout.truncated || stderr.truncated,
        ...(notices.length === 0 ? {} : { notices }),
        nextCursor,
        lossy: stdout.lossy || stderr.lossy
      }
    }
  }
}

export const workspaceExec = streaming({
  name: "workspace.exec",
  summary: "Run a command in a workspace",
  description:
    "Runs a command, streams what it prints and leaves with its exit status. Files, installed packages and background " +
    "processes that detach themselves stay for the next command. Its output is kept, up to 1.25 GiB (the first 256 MiB " +
    "and the newest 1 GiB), and 4 GiB of all commands together, oldest finished first to go: `workspace logs` has it and " +
    "says how much is gone. Interrupting it sends the command SIGINT, and after --grace-seconds kills it with everything it started; " +
    "a second Ctrl-C kills at once. pyro leaves with the status that the command's handler of the signal chooses, and dies of the " +
    "signal otherwise. A timeout sends SIGTERM first.",
  cli: {
    path: ["workspace", "exec"],
    args: ["workspace"],
    rest: "command",
    filled: ["rows", "cols"],
    extras: {
      interactive: {
        _tag: "switch",
        description: "Pass stdin on to the command, which else reads nothing; --tty always does"
      },
      "id-only": {
        _tag: "switch",
        description: "Print the command's id and nothing else; `workspace logs` has its output"
      }
    },
    stdin: "interactive",
    exits: "guest",
    examples: [
      "pyro workspace exec fix -- python3 -m unittest",
      "pyro workspace exec fix --timeout-seconds 60 --cwd src -- python3 main.py",
      "pyro workspace exec fix --script 'python3 -m unittest 2>&1 | tail -1'",
      "pyro workspace exec fix --detach -- ./long-build.sh"
    ]
  },
  mcp: {
    tool: "workspace_exec",
    profiles: ["core", "full"],
    title: "Run a command",
    description:
      "Run a shell command in a workspace (bash). After wait_seconds it returns state \"running\" and goes on: call again with exec_id " +
      "and next_cursor. Files, packages and background processes stay. A non-zero exit is no error",
    arguments: {
      workspace: {},
      script: { name: "command", description: "Shell command or script" },
      cwd: { description: "Directory, of /workspace [.]" },
      env: { description: "Variables" },
      stdin: { own: "text", description: "Its input" },
      user: { visibleIn: ["full"] },
      wait_seconds: { default: 45, description: "Return after so long at the latest, never kills [45]" },
      timeout_seconds: { description: "Kill it after so long [never]" },
      grace_seconds: { description: "From the signal that ends it to the kill [2]", visibleIn: ["full"] },
      exec_id: { description: "Instead of command: one started before" },
      cursor: { own: "text", description: "next_cursor of that one" },
      cancel: { own: "boolean", description: "End that one" },
      raw: { own: "boolean", description: "Keep terminal codes" }
    },
    essential: true
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: ExecPayload,
  event: ExecEvent,
  resumable: true,
  result: ExecResult,
  exitStatus: ({ status }, { detach }) => status ?? (detach ? 0 : STILL_RUNNING),
  fold
})

export const CancelPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    execId: Schema.String.annotations({ description: "Id of the command, as `workspace logs` has it" }),
    graceSeconds: optional(
      graceSeconds(
        "Time between SIGINT and the kill of everything it started; the command's own when left out, 0 kills at once"
      )
    )
  }))
)
export type CancelPayload = ReturnType<typeof CancelPayload>["Type"]

export const CancelResult = lazy(() =>
  Schema.Struct(snakeFields({
    execId: Schema.String,
    cancelled: Schema.Boolean.annotations({ description: "It ran and was ended; else it had ended before" })
  }))
)
export type CancelResult = ReturnType<typeof CancelResult>["Type"]

export const workspaceCancel = unary({
  name: "workspace.cancel",
  summary: "End a running command of a workspace",
  description:
    "Sends the command SIGINT, kills it with everything it started when its grace is over, whoever started it, and waits for its end. " +
    "One that has ended stays as it is; its output is kept. A command that handles the signal ends with the status it chooses. A second " +
    "cancel of the same command kills at once.",
  cli: {
    path: ["workspace", "cancel"],
    args: ["workspace", "exec_id"],
    exits: "own",
    examples: ["pyro workspace cancel fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"]
  },
  mcp: {
    tool: "workspace_cancel",
    profiles: ["full"],
    arguments: {
      workspace: {},
      exec_id: { description: "Id of the command, as workspace_logs has it" },
      grace_seconds: { description: "From SIGINT to the kill [the command's own]" }
    }
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: CancelPayload,
  result: CancelResult
})

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
