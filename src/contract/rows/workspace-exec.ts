import { Schema } from "effect"
import { STILL_RUNNING } from "../errors/exit-status.ts"
import { boolean, described, flag, integer, must, optional, string } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { commandOutput } from "./bounded-output.ts"
import { ofCommands } from "./call-errors.ts"
import {
  command,
  droppedBytes,
  ended,
  fieldsOfCommand,
  Outcome,
  outputBytes,
  outputInOrder,
  outputStream,
  processId,
  script,
  StartedExecId,
  terminalFields
} from "./command.ts"
import { Gathered, Notice, warnings } from "./notice.ts"
import { type Folding, lazy, streaming } from "./operation.ts"
import { execGroups } from "./option-groups.ts"
import { secretMappings } from "./secret-fields.ts"
import { at, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const ExecPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    command: command(),
    script: script(),
    execId: optional(
      StartedExecId().annotate({
        description:
          "Id of the command, 32 hexadecimal digits. With the id of a started command, show its output and outcome instead of running it again. Default: a new id"
      })
    ),
    detach: flag("Return the id at once and leave the command running"),
    openStdin: optional(
      boolean(
        "Give the command a stdin that stays open, also when it is detached. `stdin` writes to it and closes it. Default: stdin is that of this call"
      )
    ),
    waitSeconds: optional(
      Schema.Number.pipe(
        must((seconds) => seconds >= 0 && seconds <= 86_400, "must be 0 to 86400 seconds"),
        described(
          "Seconds to wait for the end. Then return the id with status 75; the command goes on. 0 to 86400. Default: no limit"
        )
      )
    ),
    cursor: optional(
      Schema.Int.pipe(Schema.check(Schema.isGreaterThanOrEqualTo(0))).annotate({
        description: "Position in the output of a started command, in bytes of stdout and stderr together. Default: 0"
      })
    ),
    ...fieldsOfCommand(),
    ...terminalFields(),
    ...secretMappings()
  })
)
export type ExecPayload = ReturnType<typeof ExecPayload>["Type"]

const execId = () => string("Id of the command")
const pid = () => processId("Absent if the command has ended, or if the guest has not started it yet")

export const ExecEvent = lazy(() =>
  Schema.Union([
    snakeTagged("Started", {
      execId: execId(),
      pid: optional(pid()),
      stdinBytes: optional(integer("Bytes of stdin that a started command has received. Absent for a new command"))
    }),
    Schema.TaggedStruct("Output", {
      from: outputStream(),
      bytes: outputBytes(),
      next: integer("Cursor after these bytes. A larger step than these bytes means that bytes between were dropped")
    }),
    Notice(),
    snakeTagged("Exited", { ...ended(), droppedBytes: droppedBytes() }),
    snakeTagged("Detached", { execId: execId() })
  ])
)
export type ExecEvent = ReturnType<typeof ExecEvent>["Type"]

const ExecResult = lazy(() => {
  const { durationMs, status, ...end } = ended()
  return snakeStruct({
    execId: execId(),
    pid: optional(processId("Absent if the command had ended before the call, or if the guest has not started it yet")),
    ...end,
    status: optional(status),
    durationMs: optional(durationMs),
    outcome: Schema.Union([Outcome(), Schema.Literal("running")]).annotate({
      description: "How the command ended. `running`: it goes on, and has no status or duration"
    }),
    stdout: string("Output on stdout"),
    stderr: string("Output on stderr"),
    output: outputInOrder(),
    stdoutBytes: integer("Total bytes that the command wrote to stdout"),
    stderrBytes: integer("Total bytes that the command wrote to stderr"),
    truncated: boolean("Whether the middle of stdout or stderr is left out. `logs` has all output"),
    droppedBytes: droppedBytes(),
    warnings: warnings(),
    nextCursor: integer("Cursor after this output, for the next call"),
    lossy: boolean("Whether bytes that are not UTF-8 were replaced by U+FFFD")
  })
})
type ExecResult = ReturnType<typeof ExecResult>["Type"]

const fold = (payload: ExecPayload): Folding<ExecEvent, ExecResult> => {
  const output = commandOutput(payload.maxBytes, payload.order)
  let execId = ""
  let pid: number | undefined
  let exited: Omit<Extract<ExecEvent, { readonly _tag: "Exited" }>, "_tag"> | undefined
  let detached = false
  const messages = new Gathered()
  let nextCursor = payload.cursor ?? 0
  return {
    add: (event) => {
      switch (event._tag) {
        case "Output":
          nextCursor = event.next
          return output.add(event.from, event.bytes)
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
          pid = event.pid
          return
        case "Notice":
          return messages.add(event)
      }
    },
    result: () => {
      if (exited === undefined && !detached) return undefined
      return {
        execId,
        ...(pid === undefined ? {} : { pid }),
        outcome: "running" as const,
        ...exited,
        ...output.kept(),
        warnings: messages.all,
        nextCursor
      }
    },
    output: output.kept
  }
}

export const workspaceExec = streaming({
  name: "workspace.exec",
  summary: "Run a command in a workspace",
  description:
    "Runs a command, streams its output and exits with its status. Files, installed packages and detached background processes stay for " +
    "the next command. pyro keeps the output for `logs`: the first 256 MiB and the newest 1 GiB of a command, and 4 GiB of all " +
    "commands together. Ctrl-C sends SIGINT to the command, and SIGKILL to the command and its children after --grace-seconds; a second " +
    "Ctrl-C kills at once. pyro exits with the status of a command that handles SIGINT, and dies of SIGINT otherwise. A timeout sends SIGTERM first.",
  cli: {
    path: ["workspace", "exec"],
    args: ["workspace"],
    rest: "command",
    groups: execGroups,
    filled: ["rows", "cols"],
    extras: {
      interactive: {
        _tag: "switch",
        description: "Pass stdin to the command. Default: the command reads an empty stdin; --tty always passes stdin"
      },
      raw: {
        _tag: "switch",
        description:
          "Pass the output of a command on a terminal as it is. By default, pyro leaves out what asks your terminal or acts outside of its " +
          "screen, as attach does"
      },
      "id-only": {
        _tag: "switch",
        description: "Print only the id of the command; `logs` has the output"
      }
    },
    stdin: "interactive",
    exits: "guest",
    examples: [
      "pyro exec fix -- python3 -m unittest",
      "pyro exec fix --timeout-seconds 60 --cwd src -- python3 main.py",
      "pyro exec fix --script 'python3 -m unittest 2>&1 | tail -1'",
      "pyro exec fix --detach -- ./long-build.sh",
      "pyro exec fix --secret-env NPM_TOKEN -- npm ci"
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
      cwd: { description: "Directory, in /workspace [.]" },
      env: { description: "" },
      stdin: { own: "text" },
      user: { visibleIn: ["full"] },
      wait_seconds: { default: 45, description: "Return after this time [45]" },
      timeout_seconds: { description: "End it after this time [never]" },
      grace_seconds: { description: "From the signal to the kill [2]", visibleIn: ["full"] },
      exec_id: { description: "Instead of command: a started one" },
      cursor: { own: "text", description: "Its next_cursor" },
      secret_env: { description: "Secrets to pass: NAME or NAME=VAR" },
      secret_mount: { visibleIn: ["full"], description: "Secrets as files: NAME for /run/secrets/NAME, or NAME=PATH" },
      cancel: { own: "boolean", description: "End exec_id" },
      raw: { own: "boolean", description: "Terminal codes" }
    },
    omits: ["pid", "output"],
    essential: true
  },
  states: at(withVm, { except: "An `exec_id` that the workspace knows is followed in every state but `creating`." }),
  on: "residents",
  errors: [...ofCommands, "ExecNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: ExecPayload,
  event: ExecEvent,
  resumable: true,
  result: ExecResult,
  exitStatus: ({ status }, { detach }) => status ?? (detach ? 0 : STILL_RUNNING),
  fold
})
