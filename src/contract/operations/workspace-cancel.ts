import { Schema } from "effect"
import { optional } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { graceSeconds } from "./command.ts"
import { workspaceField } from "./workspace-field.ts"

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
