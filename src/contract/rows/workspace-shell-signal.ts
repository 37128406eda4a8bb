import { Schema } from "effect"
import { defaulted } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { always, lazy, unary } from "./operation.ts"
import { shellFields, ShellInfo } from "./shell-fields.ts"
import { shell, writes } from "./shell-row.ts"
import { at, withVm } from "./states.ts"

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
    exits: "own",
    examples: [
      "pyro shell signal fix \"$SHELL_ID\" SIGINT",
      "pyro shell signal fix \"$SHELL_ID\" --signal SIGTERM"
    ]
  },
  mcp: { missing: "`shell_write` presses ctrl-c, and `shell_close` ends the shell" },
  states: at(withVm),
  on: "running",
  writes: always,
  home: "daemon",
  annotations: writes,
  payload: ShellSignalPayload,
  result: ShellInfo
})
