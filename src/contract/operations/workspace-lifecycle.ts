import { Schema } from "effect"
import { allowHome, between, defaulted, hostPath, ignoredPaths, list, optional, strings, text } from "../fields.ts"
import { Notice } from "../notice.ts"
import { type Folding, lazy, streaming, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { diskOnlyField, snapshotField, workspaceField, WorkspaceName } from "./workspace-field.ts"
import { secondary, WorkspaceInfo } from "./workspace-info.ts"
import { workspaceUser } from "./workspace-user.ts"

const core = { profiles: ["core", "full"] } as const
const full = { profiles: ["full"] } as const

/** A year: longer than any timer, so expiry is looked at again and again. */
const MAX_TTL_SECONDS = 31_536_000

const TtlSeconds = lazy(() =>
  between({
    from: 1,
    to: MAX_TTL_SECONDS,
    unit: "seconds",
    description: "Delete it by itself so many seconds after its last activity"
  })
)

const Labels = lazy(() =>
  strings(Schema.String).pipe(
    Schema.filter(
      (labels) =>
        Object.entries(labels).every(([key, value]) =>
          /^[A-Za-z0-9_][A-Za-z0-9._/-]{0,62}$/.test(key) && /^[\x20-\x7e]{0,200}$/.test(value)
        ),
      { message: () => "must be KEY=VALUE, keys of letters, digits, '.', '_', '/' and '-', printable values" }
    )
  )
)

export const CreatePayload = lazy(() =>
  Schema.Struct(snakeFields({
    environment: defaulted(
      Schema.String.pipe(
        Schema.filter((name) => name !== "" && name.length <= 200, {
          message: () => "must be a name such as debian:12"
        }),
        Schema.annotations({ description: "Environment that its root is, such as debian:12" })
      ),
      () => "debian:12"
    ),
    seedPath: optional(
      hostPath("Directory or archive (tar, tar.gz, tar.zst, zip, 7z) of the host that /workspace starts with")
    ),
    repoUrl: optional(text("Git URL that /workspace starts with a checkout of")),
    repoRef: optional(text("Branch, tag or commit of repo_url")),
    git: defaulted(
      Schema.Literal("shallow", "full", "none").annotations({
        description: "How much of the repository's history goes along: the last commit, all of it, or no .git at all"
      }),
      () => "shallow" as const
    ),
    includeIgnored: ignoredPaths(),
    allowHome: allowHome(),
    workspaceUser: workspaceUser(),
    name: optional(WorkspaceName().annotations({ description: "Name to call it by, unique" })),
    labels: defaulted(Labels().annotations({ description: "Labels to find it by" }), () => ({})),
    ttlSeconds: optional(TtlSeconds()),
    vcpuCount: defaulted(between({ from: 1, to: 32, unit: "", description: "Virtual CPUs" }), () => 1),
    memoryMib: defaulted(
      between({ from: 128, to: 1_048_576, unit: "MiB", description: "Guest memory in MiB" }),
      () => 1024
    ),
    diskMib: defaulted(
      between({
        from: 64,
        to: 4_194_304,
        unit: "MiB",
        description: "Size of its disk in MiB; room is taken as it is written"
      }),
      () => 16_384
    ),
    requireConfinement: optional(
      Schema.Literal("namespaces", "namespaces+uid").annotations({
        description: "Refuse where the host cannot confine QEMU this far"
      })
    )
  }))
)
export type CreatePayload = ReturnType<typeof CreatePayload>["Type"]

/** What a lifecycle step says on the way, and the workspace it ends with. */
export const WorkspaceEvent = lazy(() =>
  Schema.Union(Notice(), Schema.TaggedStruct("Ready", { workspace: WorkspaceInfo() }))
)
export type WorkspaceEvent = ReturnType<typeof WorkspaceEvent>["Type"]

const WorkspaceResult = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: WorkspaceInfo(),
    warnings: Schema.Array(Schema.String),
    ignoredCount: optional(
      Schema.Int.annotations({
        description: "How many ignored files and directories stay on the host; absent when none does"
      })
    )
  }))
)
type WorkspaceResult = ReturnType<typeof WorkspaceResult>["Type"]

const fold = (): Folding<WorkspaceEvent, WorkspaceResult> => {
  const warnings: Array<string> = []
  let workspace: WorkspaceInfo | undefined
  let ignoredCount: number | undefined
  return {
    add: (event) => {
      if (event._tag === "Notice") ignoredCount = event.ignoredCount ?? ignoredCount
      if (event._tag === "Ready") workspace = event.workspace
      else if (event.level === "warning") warnings.push(event.message)
    },
    result: () =>
      workspace === undefined
        ? undefined
        : { workspace, warnings, ...(ignoredCount === undefined ? {} : { ignoredCount }) }
  }
}

export const workspaceCreate = streaming({
  name: "workspace.create",
  summary: "Create a workspace: a microVM with a disk of its own",
  description:
    "Makes a microVM whose /workspace is empty, or holds a copy of a directory, an archive or a git repository of the host. " +
    "It stays until it is deleted or expires; commands, edits and services in it never touch the host. There is no network.",
  cli: {
    path: ["workspace", "create"],
    args: ["environment"],
    flags: { memory_mib: "mem-mib", labels: "label" },
    extras: { "id-only": { _tag: "switch", description: "Print its id and nothing else" } },
    hostPaths: ["seed_path"],
    exits: "own",
    examples: [
      "pyro workspace create --seed-path . --name fix",
      "pyro workspace create debian:12-build --repo-url https://github.com/owner/repo --repo-ref main",
      "pyro workspace create --label task=42 --ttl-seconds 3600 --id-only",
      "pyro workspace create --seed-path . --workspace-user agent"
    ]
  },
  mcp: {
    tool: "workspace_create",
    ...core,
    title: "Create a workspace",
    description: "Create a disposable Linux VM with a copy of the project in /workspace. It stays until deleted",
    arguments: {
      environment: { description: "debian:12 (default), debian:12-build (compilers, Node), debian:13, …" },
      name: { description: "To call it by, instead of the id" },
      labels: { description: "Labels" },
      seed_path: { hostPath: "read", description: "Directory or archive to copy instead of the project" },
      empty: { own: "boolean", description: "Copy nothing" },
      include_ignored: { visibleIn: ["full"], description: "Ignored files to copy, too: globs" },
      workspace_user: { visibleIn: ["full"], description: "Owner of /workspace; commands run as this user" },
      ttl_seconds: { description: "Delete it after so long unused" },
      vcpu_count: { visibleIn: ["full"] },
      memory_mib: { visibleIn: ["full"] },
      disk_mib: { visibleIn: ["full"] }
    },
    omits: [...secondary, "detail", "running_commands", "running", "ignored_count"],
    essential: true
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: CreatePayload,
  event: WorkspaceEvent,
  result: WorkspaceResult,
  fold
})

export const workspaceList = unary({
  name: "workspace.list",
  summary: "List workspaces, the one used last first",
  description: "Lists all workspaces, or those that have every label asked for.",
  cli: {
    path: ["workspace", "list"],
    args: [],
    flags: { labels: "label" },
    extras: { "id-only": { _tag: "switch", description: "Print the ids and nothing else" } },
    exits: "own",
    examples: [
      "pyro workspace list",
      "pyro workspace list --label task=42 --json",
      "pyro workspace list --label task=42 --id-only"
    ]
  },
  mcp: {
    tool: "workspace_list",
    ...core,
    title: "List workspaces",
    description: "List workspaces, used last first",
    arguments: {
      labels: { description: "Only those that have them" },
      cursor: { own: "text", description: "next_cursor" }
    },
    omits: [...secondary, "seed_path", "running_commands", "running", "detail"]
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() =>
    Schema.Struct({
      labels: defaulted(Labels().annotations({ description: "Labels that it must have" }), () => ({}))
    })
  ),
  result: lazy(() => Schema.Struct({ workspaces: Schema.Array(WorkspaceInfo()) }))
})

const OneWorkspace = lazy(() => Schema.Struct({ workspace: workspaceField() }))

export const workspaceStatus = unary({
  name: "workspace.status",
  summary: "Show what a workspace is and how it is",
  description: "Shows state, sizes, labels, what it was seeded from, when it was used last and when it expires.",
  cli: { path: ["workspace", "status"], args: ["workspace"], exits: "own", examples: ["pyro workspace status fix"] },
  mcp: {
    tool: "workspace_status",
    ...core,
    title: "Show a workspace",
    description: "Show a workspace's state, labels, origin and expiry",
    omits: secondary
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: OneWorkspace,
  result: WorkspaceInfo
})

export const UpdatePayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    name: optional(WorkspaceName().annotations({ description: "New name" })),
    labels: defaulted(Labels().annotations({ description: "Labels to set; others stay" }), () => ({})),
    clearLabels: defaulted(
      list(Schema.String).annotations({ description: "Labels to remove, by key" }),
      () => []
    ),
    ttlSeconds: optional(
      between({
        from: 0,
        to: MAX_TTL_SECONDS,
        unit: "seconds",
        description: "Delete it so many seconds after its last activity; 0: never"
      })
    )
  }))
)
export type UpdatePayload = ReturnType<typeof UpdatePayload>["Type"]

export const workspaceUpdate = unary({
  name: "workspace.update",
  summary: "Change a workspace's name, labels or expiry",
  description: "Changes what is given and leaves the rest. Labels are merged.",
  cli: {
    path: ["workspace", "update"],
    args: ["workspace"],
    flags: { labels: "label", clear_labels: "clear-label" },
    exits: "own",
    examples: ["pyro workspace update fix --label reviewed=yes --ttl-seconds 3600"]
  },
  mcp: {
    tool: "workspace_update",
    ...core,
    title: "Update a workspace",
    arguments: {
      workspace: {},
      name: {},
      labels: { description: "To set; others stay" },
      clear_labels: { description: "Keys to remove" },
      ttl_seconds: { description: "Delete it after so long unused; 0: never" }
    },
    omits: [...secondary, "detail", "seed_path", "running_commands", "running"]
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: UpdatePayload,
  result: WorkspaceInfo
})

/** Rows whose payload is one workspace and whose result is what it is afterwards. */
const step = <const Name extends "workspace.stop" | "workspace.start">(
  row: {
    readonly name: Name
    readonly summary: string
    readonly description: string
    readonly verb: string
    readonly title: string
    /** What a model is told. */
    readonly told: string
    readonly destructive: boolean
  }
) =>
  streaming({
    name: row.name,
    summary: row.summary,
    description: row.description,
    cli: {
      path: ["workspace", row.verb],
      args: ["workspace"],
      exits: "own",
      examples: [`pyro workspace ${row.verb} fix`]
    },
    mcp: {
      tool: `workspace_${row.verb}`,
      ...full,
      title: row.title,
      description: row.told,
      omits: [...secondary, "seed_path", "running_commands", "running", "ignored_count"]
    },
    home: "daemon",
    annotations: { readOnly: false, destructive: row.destructive, idempotent: true, openWorld: false },
    payload: OneWorkspace,
    event: WorkspaceEvent,
    result: WorkspaceResult,
    fold
  })

export const workspaceStop = step({
  name: "workspace.stop",
  verb: "stop",
  title: "Stop a workspace",
  told: "Stop a workspace's VM and keep its disk",
  summary: "Stop a workspace and keep its disk",
  description:
    "Ends every command and the microVM. Files stay, /tmp too; memory, /run and /dev/shm do not. `start` goes on from the disk.",
  destructive: true
})

export const workspaceStart = step({
  name: "workspace.start",
  verb: "start",
  title: "Start a workspace",
  told: "Start a workspace that was stopped or has failed, from its disk",
  summary: "Start a workspace that was stopped, or whose microVM died",
  description: "Makes a new microVM on the kept disk. A running workspace stays as it is.",
  destructive: false
})

export const ResetPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    snapshot: optional(snapshotField("Snapshot of it to go back to, instead of its seed")),
    diskOnly: diskOnlyField()
  }))
)
export type ResetPayload = ReturnType<typeof ResetPayload>["Type"]

export const workspaceReset = streaming({
  name: "workspace.reset",
  summary: "Bring a workspace back to the state right after its creation, or to a snapshot",
  description:
    "Throws the disk's changes, every process and the whole history of commands away and starts anew from the same seed, " +
    "under the same id and name; what was pushed since is of its beginning, and is there again. Quicker and surer than repairing. " +
    "With a snapshot it goes on from the memory and the disk of that one. A fork's own beginning is no snapshot: without one it " +
    "starts from the seed of the workspace that it was forked from.",
  cli: {
    path: ["workspace", "reset"],
    args: ["workspace"],
    exits: "own",
    examples: ["pyro workspace reset fix", "pyro workspace reset fix --snapshot green"]
  },
  mcp: {
    tool: "workspace_reset",
    ...core,
    title: "Reset a workspace",
    description:
      "Bring a workspace back to its creation: all changes, processes and history are lost. Quicker than repairing",
    arguments: {
      workspace: {},
      snapshot: { visibleIn: ["full"], description: "Go back to this snapshot of it instead" },
      disk_only: { visibleIn: ["full"], description: "Its files alone, in a fresh VM" }
    },
    omits: [...secondary, "seed_path", "running_commands", "running", "ignored_count"]
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: ResetPayload,
  event: WorkspaceEvent,
  result: WorkspaceResult,
  fold
})
