import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { graceSeconds } from "./command.ts"
import { lazy, unary } from "./operation.ts"
import { at, withCommands } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const CancelPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    execId: Schema.String.annotate({ description: "Id of the command, as `workspace logs` lists it" }),
    graceSeconds: optional(
      graceSeconds(
        "Seconds between SIGINT and SIGKILL to the command and its children. 0 to 3600; 0 kills at once. Default: the command's own"
      )
    )
  })
)
export type CancelPayload = ReturnType<typeof CancelPayload>["Type"]

export const CancelResult = lazy(() =>
  snakeStruct({
    execId: Schema.String.annotate({ description: "Id of the command" }),
    cancelled: Schema.Boolean.annotate({
      description: "True if the cancel ended the command. False if the command had ended before"
    })
  })
)
export type CancelResult = ReturnType<typeof CancelResult>["Type"]

export const workspaceCancel = unary({
  name: "workspace.cancel",
  summary: "End a running command of a workspace",
  description:
    "Sends SIGINT to the command, and SIGKILL to the command and its children after --grace-seconds. Waits for the end. The output is " +
    "kept. A command that handles SIGINT chooses its exit status. A second cancel of the same command kills at once.",
  cli: {
    path: ["workspace", "cancel"],
    args: ["workspace", "exec_id"],
    exits: "own",
    examples: ["pyro cancel fix 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"]
  },
  mcp: {
    tool: "workspace_cancel",
    profiles: ["full"],
    arguments: {
      workspace: {},
      exec_id: { description: "Id of the command, from workspace_logs" },
      grace_seconds: { description: "From SIGINT to the kill [the command's own]" }
    }
  },
  states: at(withCommands),
  on: "residents",
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: CancelPayload,
  result: CancelResult
})
