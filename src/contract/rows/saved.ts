import { Schema } from "effect"
import { boolean, integer, list, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofTakingVm } from "./call-errors.ts"
import { foldTo, Notice, warnings } from "./notice.ts"
import { lazy, streaming, unary } from "./operation.ts"
import { at, settledAwake, waits } from "./states.ts"
import { diskOnlyField, Driver, savedField, workspaceField, WorkspaceName } from "./workspace-field.ts"

const NO_TOOL = { missing: "a person prepares what outlives a workspace; a model forks" } as const

const infoFields = lazy(() => ({
  name: string("Name of the saved snapshot"),
  kind: Schema.Literals(["memory", "disk"]).annotate({
    description: "`memory`: memory and disk of a running workspace. `disk`: files alone"
  }),
  createdAt: string("Time of creation, ISO 8601"),
  durable: boolean("Whether the saved snapshot survives a power cut. True some seconds after its creation"),
  from: optional(string("Name or id of the workspace that it was saved from. Absent for an imported one")),
  environment: string("Environment of the workspace"),
  driver: Driver().annotate({ description: "Program that runs its microVMs" }),
  vcpuCount: integer("Number of virtual CPUs"),
  memoryMib: integer("Guest memory in MiB"),
  diskMib: integer("Size of the disk in MiB"),
  memoryBytes: integer("Bytes of the host's disk that its memory takes"),
  diskBytes: integer("Bytes of the host's disk that its files take. Workspaces may share them"),
  holdsSecrets: boolean("Whether the workspace had secrets: the memory or the files may have the values"),
  runningCommands: integer("Number of commands that run in it")
}))

export const SavedInfo = lazy(() => snakeStruct(infoFields()))
export type SavedInfo = ReturnType<typeof SavedInfo>["Type"]

const SavedDetail = lazy(() =>
  snakeStruct({
    ...infoFields(),
    differences: Schema.Array(Schema.String).annotate({
      description: "Why its memory cannot continue on this host, one sentence each. Empty if it can, and for `disk`"
    })
  })
)
type SavedDetail = ReturnType<typeof SavedDetail>["Type"]

export const SavePayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    name: WorkspaceName().annotate({
      description: "Name of the saved snapshot, unique on this host. 1 to 63 letters, digits, '.', '_' and '-'"
    }),
    diskOnly: optional(boolean("Save the files alone, without memory and processes"))
  })
)
export type SavePayload = ReturnType<typeof SavePayload>["Type"]

const taken = () => SavedInfo().annotate({ description: "The saved snapshot" })

export const SaveEvent = lazy(() => Schema.Union([Notice(), Schema.TaggedStruct("Saved", { saved: taken() })]))
type SaveEvent = ReturnType<typeof SaveEvent>["Type"]

export const SaveResult = lazy(() => snakeStruct({ saved: taken(), warnings: warnings() }))
type SaveResult = ReturnType<typeof SaveResult>["Type"]

export const workspaceSnapshotSave = streaming({
  name: "workspace.snapshot.save",
  summary: "Save memory and disk of a workspace for new workspaces; it outlives the workspace",
  description:
    "Saves memory and disk of a running or paused workspace, or the files of a stopped one, under a name of this host. `pyro create --from-snapshot` " +
    "starts a workspace from it, in the time of a fork. It has no secrets, no hosts of secrets and no network grant: each create states its " +
    "own. It stays until `pyro saved delete`. For a return of the same workspace to an earlier moment: `pyro snapshot create`.",
  cli: {
    path: ["workspace", "snapshot", "save"],
    args: ["workspace", "name"],
    examples: ["pyro snapshot save fix warm", "pyro snapshot save fix installed --disk-only"]
  },
  mcp: NO_TOOL,
  states: at(settledAwake, waits),
  on: "entry",
  needsRoom: true,
  errors: ["SavedExists"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: SavePayload,
  event: SaveEvent,
  result: SaveResult,
  fold: () => foldTo("Saved", ({ saved }, warnings) => ({ saved, warnings }))
})

export const savedList = unary({
  name: "saved.list",
  summary: "List saved snapshots, oldest first",
  description: "Shows what new workspaces can start from with `pyro create --from-snapshot`.",
  cli: { path: ["workspace", "saved", "list"], args: [], examples: ["pyro saved list"] },
  mcp: NO_TOOL,
  home: "daemon",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() => Schema.Struct({})),
  result: lazy(() =>
    Schema.Struct({ saved: Schema.Array(SavedInfo()).annotate({ description: "Saved snapshots, oldest first" }) })
  )
})

export const SavedRef = lazy(() => Schema.Struct({ name: savedField() }))

export const savedInspect = unary({
  name: "saved.inspect",
  summary: "Show a saved snapshot, and whether its memory can continue here",
  description: "Shows sizes and origin, and each difference between this host and the one of the memory.",
  cli: {
    path: ["workspace", "saved", "inspect"],
    args: ["name"],
    completes: { name: "saved" },
    examples: ["pyro saved inspect warm"]
  },
  mcp: NO_TOOL,
  home: "daemon",
  errors: [...ofTakingVm, "SavedDamaged", "SavedNotFound"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: SavedRef,
  result: SavedDetail
})

export const SavedDeletePayload = lazy(() =>
  Schema.Struct({ names: list(savedField()).annotate({ description: "Names of saved snapshots" }) })
)

export const savedDelete = unary({
  name: "saved.delete",
  summary: "Delete saved snapshots",
  description:
    "Frees their disk space, or deletes nothing if it does not know one of the names. Workspaces that started from them stay as they are.",
  cli: {
    path: ["workspace", "saved", "delete"],
    args: ["names"],
    completes: { names: "saved" },
    examples: ["pyro saved delete warm", "pyro saved delete warm installed"]
  },
  mcp: NO_TOOL,
  home: "daemon",
  errors: ["SavedNotFound"],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: SavedDeletePayload,
  result: lazy(() =>
    Schema.Struct({
      deleted: Schema.Array(Schema.String).annotate({ description: "Names of the deleted snapshots" })
    })
  )
})

/** `disk_only` of a create. */
export const fromSnapshotFields = () => ({
  fromSnapshot: optional(
    savedField().annotate({
      description:
        "Saved snapshot to start from, by its name in `pyro saved list`. Environment, sizes, driver and files are the snapshot's"
    })
  ),
  diskOnly: diskOnlyField()
})
