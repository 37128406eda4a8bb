import { defaulted } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { command, fieldsOfCommand } from "./command.ts"
import { lazy, unary } from "./operation.ts"
import { secretMappings } from "./secret-fields.ts"
import { cols, rows, ShellInfo } from "./shell-fields.ts"
import { full, shell, writes } from "./shell-row.ts"
import { at, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const ShellOpenPayload = lazy(() => {
  const { cwd, env, user } = fieldsOfCommand()
  return snakeStruct({
    workspace: workspaceField(),
    command: command().annotate({ description: "Program and its arguments. Default: bash -l" }),
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
    exits: "own",
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
  home: "daemon",
  annotations: writes,
  payload: ShellOpenPayload,
  result: ShellInfo
})
