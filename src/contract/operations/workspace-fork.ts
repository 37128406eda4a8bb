import { Schema } from "effect"
import { between, defaulted, optional } from "../fields.ts"
import { Notice } from "../notice.ts"
import { type Folding, lazy, streaming } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { diskOnlyField, snapshotField, workspaceField, WorkspaceName } from "./workspace-field.ts"
import { secondary, WorkspaceInfo } from "./workspace-info.ts"

export const ForkPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    name: optional(
      WorkspaceName().annotations({ description: "Name of the fork; of several with -1, -2 … behind it" })
    ),
    count: defaulted(between({ from: 1, to: 64, unit: "", description: "How many forks, all or none" }), () => 1),
    snapshot: optional(snapshotField("Snapshot to begin from, instead of how the workspace is now")),
    diskOnly: diskOnlyField()
  }))
)
export type ForkPayload = ReturnType<typeof ForkPayload>["Type"]

export const ForkEvent = lazy(() =>
  Schema.Union(Notice(), Schema.TaggedStruct("Forked", { workspaces: Schema.Array(WorkspaceInfo()) }))
)
export type ForkEvent = ReturnType<typeof ForkEvent>["Type"]

const ForkResult = lazy(() =>
  Schema.Struct({ workspaces: Schema.Array(WorkspaceInfo()), warnings: Schema.Array(Schema.String) })
)
type ForkResult = ReturnType<typeof ForkResult>["Type"]

const fold = (): Folding<ForkEvent, ForkResult> => {
  const warnings: Array<string> = []
  let workspaces: ReadonlyArray<WorkspaceInfo> | undefined
  return {
    add: (event) => {
      if (event._tag === "Forked") workspaces = event.workspaces
      else if (event.level === "warning") warnings.push(event.message)
    },
    result: () => workspaces === undefined ? undefined : { workspaces, warnings }
  }
}

export const workspaceFork = streaming({
  name: "workspace.fork",
  summary: "Make further workspaces that go on from where one is",
  description:
    "Each has the memory and the disk of the workspace at this moment, or of one of its snapshots: processes, servers, REPLs and " +
    "/tmp included. Commands that run go on in the workspace for whoever waits for them; in a fork they run on as well, listed as " +
    "inherited. Forks differ in randomness, host name, machine id and boot id; what one does the others do not see.",
  cli: {
    path: ["workspace", "fork"],
    args: ["workspace"],
    extras: { "id-only": { _tag: "switch", description: "Print the ids and nothing else" } },
    exits: "own",
    examples: [
      "pyro workspace fork fix --name try",
      "pyro workspace fork fix --name try --count 3",
      "pyro workspace fork fix --snapshot green --id-only"
    ]
  },
  mcp: {
    tool: "workspace_fork",
    profiles: ["full"],
    title: "Fork a workspace",
    description: "Make workspaces that go on from where one is, processes and servers included",
    arguments: {
      workspace: {},
      name: { description: "Name; of several with -1, -2 … behind it" },
      count: {},
      snapshot: { description: "Begin from this snapshot instead" },
      disk_only: { description: "Files alone, in a fresh VM" }
    },
    omits: [...secondary, "seed_path", "detail", "running_commands", "running"]
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: ForkPayload,
  event: ForkEvent,
  result: ForkResult,
  fold
})
