import { Schema } from "effect"
import { between, boolean, bytes, defaulted, described, flag, integer, must, optional, string } from "../text/fields.ts"
import { signalNumber } from "../text/signals.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofCommands } from "./call-errors.ts"
import { StartedExecId } from "./command.ts"
import { lazy, unary } from "./operation.ts"
import { at, withProcesses } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

/** The command of a request. */
const startedCommand = () => ({
  workspace: workspaceField(),
  execId: StartedExecId().annotate({ description: "Id of the command, or its first digits" })
})

const execId = () => string("Id of the command")

export const SignalPayload = lazy(() =>
  snakeStruct({
    ...startedCommand(),
    signal: defaulted(
      Schema.String.pipe(
        must(
          (text) => signalNumber(text) !== undefined,
          "must be a signal of Linux, such as TERM, SIGTERM, RTMIN+1 or 15"
        ),
        described("Signal to send: a name of Linux with or without SIG, RTMIN+N, RTMAX-N, or a number of 1 to 64")
      ),
      () => "SIGTERM"
    ),
    to: defaulted(
      Schema.Literals(["process", "group", "command"]).annotate({
        description:
          "Who gets the signal. `process`: the command's own process. `group`: its process group, or the one in the foreground of " +
          "its terminal. `command`: the process and all processes that it started, in other sessions too, but not those that root has moved to a cgroup of its own"
      }),
      () => "process" as const
    )
  })
)
export type SignalPayload = ReturnType<typeof SignalPayload>["Type"]

const SignalResult = lazy(() =>
  snakeStruct({
    execId: execId(),
    signaled: boolean("True if pyro sent the signal. False if the command had ended before")
  })
)
export type SignalResult = ReturnType<typeof SignalResult>["Type"]

export const workspaceSignal = unary({
  name: "workspace.signal",
  summary: "Send a signal to a running command of a workspace",
  description:
    "Sends the signal and does not wait for its effect. A script is the process of its shell: --to command reaches the programs that it " +
    "runs, too. With --to command, a process that starts in this moment may miss every signal but SIGKILL. A command that has ended gets " +
    "no signal, and that is no error. `cancel` ends a command and waits for its end.",
  cli: {
    path: ["workspace", "signal"],
    args: ["workspace", "exec_id"],
    argsOrFlags: ["signal"],
    examples: [
      "pyro signal fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f HUP",
      "pyro signal fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f --signal USR1 --to command"
    ]
  },
  mcp: { missing: "`workspace_cancel` ends a command, and `kill` in the guest sends other signals" },
  states: at(withProcesses),
  on: "residents",
  errors: [...ofCommands, "ExecNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: SignalPayload,
  result: SignalResult
})

export const ResizePayload = lazy(() =>
  snakeStruct({
    ...startedCommand(),
    rows: between({ from: 1, to: 65_535, unit: "rows", description: "New height of the terminal in rows" }),
    cols: between({ from: 1, to: 65_535, unit: "columns", description: "New width of the terminal in columns" })
  })
)
export type ResizePayload = ReturnType<typeof ResizePayload>["Type"]

const ResizeResult = lazy(() =>
  snakeStruct({
    execId: execId(),
    resized: boolean("True if the terminal got the size. False if the command had ended before")
  })
)
export type ResizeResult = ReturnType<typeof ResizeResult>["Type"]

export const workspaceResize = unary({
  name: "workspace.resize",
  summary: "Change the size of a running command's terminal",
  description:
    "For a command that was started with --tty, also a detached one. The program gets SIGWINCH. A command without a terminal is refused. " +
    "A command that has ended keeps its size, and that is no error. `shell resize` is for shells.",
  cli: {
    path: ["workspace", "resize"],
    args: ["workspace", "exec_id"],
    examples: ["pyro resize fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f --cols 120 --rows 40"]
  },
  mcp: { missing: "commands of models have no terminal" },
  states: at(withProcesses),
  on: "residents",
  errors: [...ofCommands, "ExecNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ResizePayload,
  result: ResizeResult
})

/** Maximum bytes of one request. */
const MAX_STDIN_BYTES = 8_388_608

export const StdinPayload = lazy(() =>
  snakeStruct({
    ...startedCommand(),
    text: optional(
      Schema.String.pipe(
        must((value) => !/\p{Surrogate}/u.test(value), "must be well-formed Unicode"),
        must(
          (value) => new TextEncoder().encode(value).length <= MAX_STDIN_BYTES,
          `must be at most ${MAX_STDIN_BYTES} bytes`
        ),
        described(`Text to write (UTF-8), at most ${MAX_STDIN_BYTES} bytes. pyro adds no newline. Default: none`)
      )
    ),
    content: optional(bytes(`Bytes to write in place of text, at most ${MAX_STDIN_BYTES}`, MAX_STDIN_BYTES)),
    close: flag("Close stdin after the bytes: the command reads the end of its input")
  })
)
export type StdinPayload = ReturnType<typeof StdinPayload>["Type"]

const StdinResult = lazy(() =>
  snakeStruct({
    execId: execId(),
    writtenBytes: integer("Bytes that the guest took. 0 if the command had ended before"),
    ended: boolean("True if the command had ended before. Its stdin then takes nothing")
  })
)
export type StdinResult = ReturnType<typeof StdinResult>["Type"]

export const workspaceStdin = unary({
  name: "workspace.stdin",
  summary: "Write to the open stdin of a running command",
  description:
    "For a command that was started with --open-stdin: its stdin stays open until --close, even if the caller leaves. Several writers take turns: each " +
    "request is written as a whole. If the command reads nothing for 5 seconds, and its buffers are full, the request fails and says how much was written.",
  cli: {
    path: ["workspace", "stdin"],
    args: ["workspace", "exec_id"],
    filled: ["content"],
    extras: {
      from: {
        _tag: "file",
        fills: "content",
        as: "bytes",
        description: "File of the host with the bytes, or - for stdin"
      }
    },
    examples: [
      "pyro stdin fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f --text 'yes' --close",
      "git archive HEAD | pyro stdin fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f --from -"
    ]
  },
  mcp: { missing: "`workspace_exec` takes the whole stdin, and shells are for dialogues" },
  states: at(withProcesses),
  on: "residents",
  errors: [...ofCommands, "ExecNotFound", "StdinBlocked"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: StdinPayload,
  result: StdinResult
})
