import { snakeStruct } from "../text/snake.ts"
import { lazy, unary } from "./operation.ts"
import { at, settledOrAttaching, waits } from "./states.ts"
import { workspaceField, WorkspaceName } from "./workspace-field.ts"
import { WorkspaceInfo } from "./workspace-info.ts"

export const RenamePayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    name: WorkspaceName().annotate({ description: "New name" })
  })
)
export type RenamePayload = ReturnType<typeof RenamePayload>["Type"]

export const workspaceRename = unary({
  name: "workspace.rename",
  summary: "Give a workspace another name",
  description:
    "Changes the name, and the host name of the guest with it. An open shell shows the former host name in its prompt. The id stays. " +
    "`update --clear-name` removes a name.",
  cli: {
    path: ["workspace", "rename"],
    args: ["workspace", "name"],
    exits: "own",
    examples: ["pyro rename fix parser"]
  },
  mcp: { missing: "`workspace_update` sets the name" },
  states: at(settledOrAttaching, waits),
  on: "entry",
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: RenamePayload,
  result: WorkspaceInfo
})
