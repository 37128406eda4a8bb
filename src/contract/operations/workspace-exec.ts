import { Schema } from "effect"
import { boundedOutput } from "../bounded-output.ts"
import { STILL_RUNNING } from "../exit-status.ts"
import { defaulted, optional } from "../fields.ts"
import { Notice } from "../notice.ts"
import { type Folding, lazy, streaming } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { command, ended, fieldsOfCommand, Outcome, script, terminalFields } from "./command.ts"
import { droppedBytes, StartedExecId } from "./exec-fields.ts"
import { workspaceField } from "./workspace-field.ts"

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
