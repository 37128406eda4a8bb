import { Schema } from "effect"
import { described, flag, matching, optional, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofBuilding } from "./call-errors.ts"
import { EnvironmentSummary, PullEvent } from "./environment.ts"
import { foldTo } from "./notice.ts"
import { lazy, streaming } from "./operation.ts"
import { allowSecretsField } from "./secret-fields.ts"
import { at, settledAwake, waits } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const CommitPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    name: text("Name of the new environment, such as `myenv` or `myenv:2`"),
    workspaceAs: optional(
      Schema.String.pipe(
        matching(/^\/[^\0]+$/, "must be an absolute path of the guest"),
        described(
          "Directory of the new environment for the files of /workspace, in place of its own. Default: they stay out, because each workspace has a /workspace of its own"
        )
      )
    ),
    replace: flag("Give the name to the new environment if another environment of yours has the name"),
    ...allowSecretsField()
  })
)
export type CommitPayload = ReturnType<typeof CommitPayload>["Type"]

export const workspaceCommit = streaming({
  name: "workspace.commit",
  summary: "Make an environment of the files of a workspace",
  description:
    "The new environment has the files of the workspace's environment and over them what the workspace changed, without /tmp and processes. New " +
    "workspaces of it have the variables, the user and the directory of this one. Files of /workspace come along with --workspace-as. A running workspace stands " +
    "still for a moment and goes on. MicroVMs read and write the files, and need no program of the workspace. Secrets are in no file of pyro's; a " +
    "workspace with secrets is refused, because its own programs may have written them.",
  cli: {
    path: ["workspace", "commit"],
    args: ["workspace", "name"],
    examples: ["pyro commit fix fixed", "pyro commit fix app --workspace-as /app --replace"]
  },
  mcp: { missing: "a person prepares what outlives a workspace; a model forks" },
  states: at(settledAwake, waits),
  needsRoom: true,
  errors: [...ofBuilding, "EnvironmentNameTaken", "ExportRefused", "IdAmbiguous", "SnapshotMismatch", "StateTooNew"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: CommitPayload,
  event: PullEvent,
  result: EnvironmentSummary,
  fold: () => foldTo("Ready", ({ environment }) => environment)
})
