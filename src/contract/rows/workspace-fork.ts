import { Schema } from "effect"
import { between, defaulted, flag, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofBooting, ofFinding } from "./call-errors.ts"
import { foldTo, Notice, warnings } from "./notice.ts"
import { lazy, streaming } from "./operation.ts"
import { at, settledAwake, waits } from "./states.ts"
import { diskOnlyField, snapshotField, workspaceField, WorkspaceName } from "./workspace-field.ts"
import { unchanged, WorkspaceInfo } from "./workspace-info.ts"

export const ForkPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    name: optional(
      WorkspaceName().annotate({
        description: "Name of the fork. Several forks get NAME-1, NAME-2 and so on. Default: none"
      })
    ),
    count: defaulted(
      between({ from: 1, to: 64, description: "Number of forks. pyro makes all of them or none" }),
      () => 1
    ),
    snapshot: optional(snapshotField("Snapshot to fork. Default: the current state")),
    at: optional(
      string(
        "Id of a command or of a point: begin with the state of the moment before the command, or of the point. Default: the current state"
      )
    ),
    diskOnly: diskOnlyField(),
    withoutSecrets: flag(
      "Fork the files alone, and give the forks none of the workspace's secrets. Files may still have the values"
    )
  })
)
export type ForkPayload = ReturnType<typeof ForkPayload>["Type"]

const forks = () => Schema.Array(WorkspaceInfo()).annotate({ description: "The new workspaces" })

const ForkEvent = lazy(() => Schema.Union([Notice(), Schema.TaggedStruct("Forked", { workspaces: forks() })]))
type ForkEvent = ReturnType<typeof ForkEvent>["Type"]

const ForkResult = lazy(() => Schema.Struct({ workspaces: forks(), warnings: warnings() }))
type ForkResult = ReturnType<typeof ForkResult>["Type"]

export const workspaceFork = streaming({
  name: "workspace.fork",
  summary: "Make copies of a workspace, with memory and disk",
  description:
    "Each fork has the memory and disk of the workspace, or of a snapshot: processes, servers, REPLs and /tmp. Of a stopped workspace, it has the disk. Running commands go on " +
    "in the workspace and in each fork, where `logs` marks them as inherited. Each fork has its own random seed, host name, " +
    "machine id and boot id. Forks share no later changes.",
  cli: {
    path: ["workspace", "fork"],
    args: ["workspace"],
    extras: { "id-only": { _tag: "switch", description: "Print only the ids" } },
    examples: [
      "pyro fork fix --name try",
      "pyro fork fix --name try --count 3",
      "pyro fork fix --snapshot green --id-only",
      "pyro fork fix --at 4f0c6a1e9b7d42c58f3e6a7b8c9d0e1f"
    ]
  },
  mcp: {
    tool: "workspace_fork",
    profiles: ["full"],
    title: "Fork a workspace",
    description: "Make workspaces that go on from where one is, processes and servers included",
    arguments: {
      workspace: {},
      name: { description: "Name; several forks get -1, -2 … after it" },
      count: {},
      snapshot: { description: "Begin from this snapshot instead" },
      disk_only: { description: "Files alone, in a fresh VM" }
    },
    omits: [...unchanged, "detail"]
  },
  states: at(settledAwake, { ...waits, except: "With `snapshot`, a fork is legal in `starting` too." }),
  needsRoom: true,
  errors: [
    ...ofBooting,
    ...ofFinding,
    "NetworkUnsupported",
    "PointNotFound",
    "SnapshotMismatch",
    "SnapshotNotFound",
    "WorkspaceNameTaken"
  ],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: ForkPayload,
  event: ForkEvent,
  makes: {
    count: ({ count }) => count,
    done: (workspaces: ReadonlyArray<WorkspaceInfo>) => ({ _tag: "Forked" as const, workspaces })
  },
  result: ForkResult,
  fold: () => foldTo("Forked", ({ workspaces }, warnings) => ({ workspaces, warnings }))
})
