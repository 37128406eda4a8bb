import { snakeStruct } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"
import { shellFields, ShellInfo } from "./shell-fields.ts"
import { full, shell } from "./shell-row.ts"
import { at, withCommands } from "./states.ts"

export const ShellClosePayload = lazy(() => snakeStruct(shellFields()))
export type ShellClosePayload = ReturnType<typeof ShellClosePayload>["Type"]

export const workspaceShellClose = unary({
  name: "workspace.shell.close",
  summary: "Close a shell",
  description:
    "Hangs the terminal up (SIGHUP), and kills the program and its children after 2 seconds. The output stays readable. A closed shell stays closed.",
  cli: {
    path: shell("close"),
    args: ["workspace", "shell_id"],
    exits: "own",
    examples: ["pyro shell close fix \"$SHELL_ID\""]
  },
  mcp: {
    tool: "shell_close",
    ...full,
    arguments: { workspace: {}, shell_id: { description: "From shell_open" } },
    omits: ["started_at", "cols", "rows", "inherited", "output_bytes", "command"]
  },
  states: at(withCommands),
  on: "residents",
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ShellClosePayload,
  result: ShellInfo
})
