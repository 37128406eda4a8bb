import { Schema } from "effect"
import { optional, string } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { ofBooting } from "./call-errors.ts"
import { foldTo, Notice, warnings } from "./notice.ts"
import { lazy, streaming } from "./operation.ts"
import { at, settledOrAttaching, waits } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"
import { unchanged, WorkspaceInfo } from "./workspace-info.ts"
import { candidateField } from "./workspace-try-fields.ts"

export const KeepPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    candidate: candidateField("Name of a candidate of the workspace's last try")
  })
)
export type KeepPayload = ReturnType<typeof KeepPayload>["Type"]

const fields = () => ({
  kept: string("The candidate that became the workspace"),
  undo: optional(
    string(
      "The point of the workspace before the keep: a rewind to it undoes the keep. Absent if the workspace has no points"
    )
  ),
  workspace: WorkspaceInfo().annotate({ description: "The workspace" })
})

const KeepEvent = lazy(() => Schema.Union([Notice(), snakeTagged("Kept", fields())]))
export type KeepEvent = ReturnType<typeof KeepEvent>["Type"]

const KeepResult = lazy(() => snakeStruct({ ...fields(), warnings: warnings() }))
export type KeepResult = ReturnType<typeof KeepResult>["Type"]

export const workspaceKeep = streaming({
  name: "workspace.keep",
  summary: "Keep a candidate of a finished try",
  description:
    "Makes a candidate of the workspace's last try the workspace, also one that did not pass. Candidates stay for a day after the try, until the next try or reset of the workspace. " +
    "The workspace gets the files of the candidate in a new microVM: processes end, and services that ran in the candidate start again. Id, name, ports and grants stay. " +
    "What changed in the workspace since the try began is lost. The keep joins the history: rewind undoes it, and another candidate can be kept then.",
  cli: {
    path: ["workspace", "keep"],
    args: ["workspace", "candidate"],
    examples: ["pyro keep fix both-keys"]
  },
  mcp: {
    tool: "workspace_keep",
    profiles: ["full"],
    title: "Keep a candidate",
    description:
      "Make a candidate of the last workspace_try the workspace: its files, in a new VM. workspace_reset undoes it",
    arguments: { workspace: {}, candidate: { description: "Its name" } },
    omits: [...unchanged, "detail", "labels", "environment", "expires_at"]
  },
  states: at(settledOrAttaching, waits),
  on: "entry",
  needsRoom: true,
  errors: [...ofBooting, "NetworkUnsupported", "SnapshotMismatch", "SnapshotNotFound"],
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  payload: KeepPayload,
  event: KeepEvent,
  result: KeepResult,
  fold: () => foldTo<KeepEvent, "Kept", KeepResult>("Kept", ({ _tag: _, ...kept }, warnings) => ({ ...kept, warnings }))
})
