import { Schema } from "effect"
import { defaulted, optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofCommands } from "./call-errors.ts"
import { command, fieldsOfCommand } from "./command.ts"
import { always, lazy, unary } from "./operation.ts"
import { secretMappings } from "./secret-fields.ts"
import { cols, full, rows, shell, shellFields, ShellInfo, writes } from "./shell-fields.ts"
import { at, withCommands, withProcesses, withVm } from "./states.ts"
import { workspaceField, WorkspaceRef } from "./workspace-field.ts"

export const ShellOpenPayload = lazy(() => {
  const { cwd, env, user } = fieldsOfCommand()
  return snakeStruct({
    workspace: workspaceField(),
    command: command().annotate({
      description: "Program and its arguments. Default: bash -l, or sh -l in a guest without bash"
    }),
    env,
    cwd,
    user,
    cols: defaulted(cols(), () => 80),
    rows: defaulted(rows(), () => 24),
    ...secretMappings()
  })
})
export type ShellOpenPayload = ReturnType<typeof ShellOpenPayload>["Type"]

export const workspaceShellOpen = unary({
  name: "workspace.shell.open",
  summary: "Open a shell in a workspace that stays open",
  description:
    "Starts a program on a terminal and returns the id of the shell. The shell goes on after this command, and in forks and snapshots. " +
    "`shell write` types, `shell read` shows the screen, and `attach` connects your own terminal.",
  cli: {
    path: shell("open"),
    args: ["workspace"],
    rest: "command",
    extras: { "id-only": { _tag: "switch", description: "Print only the id of the shell" } },
    examples: [
      "pyro shell open fix",
      "pyro shell open fix --cols 120 --rows 40 -- python3",
      "pyro shell open fix --cwd src --id-only"
    ]
  },
  mcp: {
    tool: "shell_open",
    ...full,
    title: "Open a shell",
    description:
      "Open a terminal that stays: a REPL, a debugger, a full-screen program. For plain commands use workspace_exec",
    arguments: {
      workspace: {},
      command: { description: "Program and arguments [bash -l]" },
      cwd: { description: "Directory, in /workspace [.]" },
      env: { description: "Variables" },
      cols: { description: "[80]" },
      rows: { description: "[24]" },
      secret_env: { description: "Secrets to pass: NAME or NAME=VAR" }
    },
    omits: ["started_at", "status", "inherited", "output_bytes"]
  },
  states: at(withVm),
  on: "running",
  errors: [...ofCommands, "TooManyShells"],
  annotations: writes,
  payload: ShellOpenPayload,
  result: ShellInfo
})

const ShellListResult = lazy(() =>
  snakeStruct({
    shells: Schema.Array(ShellInfo()).annotate({
      description: "The open shells, and the newest ended ones, at most 100. Oldest first"
    })
  })
)
type ShellListResult = ReturnType<typeof ShellListResult>["Type"]

export const workspaceShellList = unary({
  name: "workspace.shell.list",
  summary: "List the shells of a workspace",
  description:
    "Lists the shells since create or the last reset, with their programs, sizes and outcomes. The output of an ended shell stays readable.",
  cli: { path: shell("list"), args: ["workspace"], examples: ["pyro shell list fix"] },
  mcp: {
    tool: "shell_list",
    ...full,
    arguments: { workspace: {} },
    omits: ["inherited"]
  },
  states: at(withCommands),
  on: "residents",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceRef,
  result: ShellListResult
})

export const ShellResizePayload = lazy(() =>
  snakeStruct({
    ...shellFields(),
    cols: optional(cols().annotate({ description: "New width in columns (2 to 1000). Default: the present one" })),
    rows: optional(rows().annotate({ description: "New height in rows (1 to 500). Default: the present one" }))
  })
)
export type ShellResizePayload = ReturnType<typeof ShellResizePayload>["Type"]

export const workspaceShellResize = unary({
  name: "workspace.shell.resize",
  summary: "Change the size of a shell's terminal",
  description:
    "The program gets SIGWINCH and draws again if it follows the size. Later reads render with the new size.",
  cli: {
    path: shell("resize"),
    args: ["workspace", "shell_id"],
    examples: ["pyro shell resize fix \"$SHELL_ID\" --cols 120 --rows 40"]
  },
  mcp: { missing: "`shell_open` sets the size" },
  states: at(withVm),
  on: "running",
  writes: always,
  errors: [...ofCommands, "ShellEnded", "ShellNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ShellResizePayload,
  result: ShellInfo
})

export const ShellSignalPayload = lazy(() =>
  snakeStruct({
    ...shellFields(),
    signal: defaulted(
      Schema.Literals(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGKILL", "SIGTSTP", "SIGCONT", "SIGUSR1", "SIGUSR2"])
        .annotate({ description: "Signal to send" }),
      () => "SIGINT" as const
    )
  })
)
export type ShellSignalPayload = ReturnType<typeof ShellSignalPayload>["Type"]

export const workspaceShellSignal = unary({
  name: "workspace.shell.signal",
  summary: "Send a signal to the foreground program of a shell",
  description:
    "Signals the process group in the foreground of the terminal, also if the program has turned Ctrl-C off. `shell close` ends the whole shell.",
  cli: {
    path: shell("signal"),
    args: ["workspace", "shell_id"],
    argsOrFlags: ["signal"],
    examples: [
      "pyro shell signal fix \"$SHELL_ID\" SIGINT",
      "pyro shell signal fix \"$SHELL_ID\" --signal SIGTERM"
    ]
  },
  mcp: { missing: "`shell_write` presses ctrl-c, and `shell_close` ends the shell" },
  states: at(withVm),
  on: "running",
  writes: always,
  errors: [...ofCommands, "ShellEnded", "ShellNotFound"],
  annotations: writes,
  payload: ShellSignalPayload,
  result: ShellInfo
})

export const ShellClosePayload = lazy(() => snakeStruct(shellFields()))
export type ShellClosePayload = ReturnType<typeof ShellClosePayload>["Type"]

export const workspaceShellClose = unary({
  name: "workspace.shell.close",
  summary: "Close a shell",
  description:
    "Hangs the terminal up (SIGHUP), and kills the program and its children after 2 seconds. The output stays readable. A closed shell stays closed.",
  cli: { path: shell("close"), args: ["workspace", "shell_id"], examples: ["pyro shell close fix \"$SHELL_ID\""] },
  mcp: {
    tool: "shell_close",
    ...full,
    arguments: { workspace: {}, shell_id: { description: "From shell_open" } },
    omits: ["started_at", "cols", "rows", "inherited", "output_bytes", "command"]
  },
  states: at(withProcesses),
  on: "residents",
  errors: ["ShellNotFound"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ShellClosePayload,
  result: ShellInfo
})
