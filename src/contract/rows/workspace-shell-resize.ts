import { optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { always, lazy, unary } from "./operation.ts"
import { cols, rows, shellFields, ShellInfo } from "./shell-fields.ts"
import { shell } from "./shell-row.ts"
import { at, withVm } from "./states.ts"

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
    exits: "own",
    examples: ["pyro shell resize fix \"$SHELL_ID\" --cols 120 --rows 40"]
  },
  mcp: { missing: "`shell_open` sets the size" },
  states: at(withVm),
  on: "running",
  writes: always,
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ShellResizePayload,
  result: ShellInfo
})
