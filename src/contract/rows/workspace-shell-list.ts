import { Schema } from "effect"
import { snakeStruct } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"
import { ShellInfo } from "./shell-fields.ts"
import { full, shell } from "./shell-row.ts"
import { at, withCommands } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const ShellListPayload = lazy(() => snakeStruct({ workspace: workspaceField() }))
export type ShellListPayload = ReturnType<typeof ShellListPayload>["Type"]

export const ShellListResult = lazy(() =>
  snakeStruct({
    shells: Schema.Array(ShellInfo()).annotate({
      description: "The open shells, and the newest ended ones, at most 100. Oldest first"
    })
  })
)
export type ShellListResult = ReturnType<typeof ShellListResult>["Type"]

export const workspaceShellList = unary({
  name: "workspace.shell.list",
  summary: "List the shells of a workspace",
  description:
    "Lists the shells since create or the last reset, with their programs, sizes and outcomes. The output of an ended shell stays readable.",
  cli: {
    path: shell("list"),
    args: ["workspace"],
    exits: "own",
    examples: ["pyro shell list fix"]
  },
  mcp: {
    tool: "shell_list",
    ...full,
    arguments: { workspace: {} },
    omits: ["inherited"]
  },
  states: at(withCommands),
  on: "residents",
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ShellListPayload,
  result: ShellListResult
})
