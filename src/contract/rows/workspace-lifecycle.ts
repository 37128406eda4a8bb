import { Schema } from "effect"
import {
  allowHome,
  between,
  boolean,
  defaulted,
  hostPath,
  ignoredPaths,
  integer,
  optional,
  text
} from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofBooting, ofBuilding, ofDevContainers } from "./call-errors.ts"
import { variables, workingDirectory } from "./command.ts"
import { devContainerFields } from "./devcontainer-fields.ts"
import { networkDetails, networkFields } from "./network-fields.ts"
import { Gathered, Notice, warnings } from "./notice.ts"
import { type Folding, lazy, streaming, unary } from "./operation.ts"
import { createGroups } from "./option-groups.ts"
import { registryFlags } from "./registry-fields.ts"
import { fromSnapshotFields } from "./saved.ts"
import { secretCommandsField, secretFlags, secretHttpField, secretsField } from "./secret-fields.ts"
import { socketOfCaller, sshAgentFields } from "./ssh-agent-fields.ts"
import { at, every, settled, waits } from "./states.ts"
import {
  confinementField,
  environmentField,
  GitHistory,
  gitHistoryText,
  Labels,
  machineFields,
  workspaceField,
  WorkspaceName,
  WorkspaceRef,
  workspaceUser
} from "./workspace-field.ts"
import { secondary, unchanged, WorkspaceInfo } from "./workspace-info.ts"
import { pauseAfterField, TtlSeconds } from "./workspace-times.ts"

const core = { profiles: ["core", "full"] } as const
const full = { profiles: ["full"] } as const

export const CreatePayload = lazy(() =>
  snakeStruct({
    environment: environmentField("Environment of the workspace"),
    ...devContainerFields(),
    seedPath: optional(
      hostPath(
        "Directory or archive (tar, tar.gz, tar.zst, zip, 7z) of the host to copy to /workspace. Default: /workspace is empty"
      )
    ),
    repoUrl: optional(text("Git URL to check out in /workspace")),
    repoRef: optional(text("Branch, tag or commit of `repo_url`. Default: the remote's default branch")),
    git: defaulted(GitHistory(gitHistoryText), () => "shallow" as const),
    includeIgnored: ignoredPaths(),
    allowHome: allowHome(),
    workspaceUser: workspaceUser(),
    name: optional(
      WorkspaceName().annotate({
        description: "Unique name of the workspace. 1 to 63 letters, digits, '.', '_' and '-'. Default: none"
      })
    ),
    labels: defaulted(
      Labels().annotate({ description: "Labels, for `workspace list --label`. Default: none" }),
      () => ({})
    ),
    ttlSeconds: optional(TtlSeconds()),
    pauseAfterSeconds: pauseAfterField("PYRO_PAUSE_AFTER_SECONDS of the daemon"),
    env: defaulted(
      variables(
        "Environment variables of each command, shell and service of the workspace. Their own variables win. No secrets. Default: none"
      ),
      () => ({})
    ),
    cwd: optional(
      workingDirectory(
        "Working directory of each command, shell and service that names none. A relative path is relative to /workspace. Default: /workspace"
      )
    ),
    ...machineFields(),
    diskMib: defaulted(
      between({
        from: 64,
        to: 4_194_304,
        unit: "MiB",
        description: "Size of the disk in MiB. The host's disk is used only as the guest writes"
      }),
      () => 16_384
    ),
    ...networkFields(),
    requireConfinement: confinementField(),
    ...secretsField(
      "Secrets of the workspace by name, for `exec --secret-env`. pyro removes the values from output. Default: none"
    ),
    ...secretHttpField("Needs a network policy that allows HOST. Default: none"),
    ...secretCommandsField("Default: none"),
    ...sshAgentFields("none"),
    ...fromSnapshotFields()
  })
)
export type CreatePayload = ReturnType<typeof CreatePayload>["Type"]

const changedMeaning = "False if the workspace was in the state before: running, paused, or stopped"
const changed = lazy(() => boolean(changedMeaning))

/** Notices of a lifecycle operation, then the workspace. */
export const WorkspaceEvent = lazy(() =>
  Schema.Union([
    Notice(),
    Schema.TaggedStruct("Ready", {
      workspace: WorkspaceInfo().annotate({ description: "The workspace after the operation" }),
      changed: optional(
        changed().annotate({ description: `${changedMeaning}. Of \`start\`, \`stop\`, \`pause\` and \`resume\` only` })
      )
    })
  ])
)
export type WorkspaceEvent = ReturnType<typeof WorkspaceEvent>["Type"]

const resultFields = () => ({
  workspace: WorkspaceInfo().annotate({ description: "The workspace after the operation" }),
  warnings: warnings(),
  ignoredCount: optional(
    integer("Number of ignored files and directories that were not copied. Absent if there are none")
  )
})

export const WorkspaceResult = lazy(() => snakeStruct(resultFields()))
type WorkspaceResult = ReturnType<typeof WorkspaceResult>["Type"]

/** Gathers the notices and the workspace. */
export const foldWorkspace = (): Folding<WorkspaceEvent, WorkspaceResult> => {
  const messages = new Gathered()
  let workspace: WorkspaceInfo | undefined
  let ignoredCount: number | undefined
  return {
    add: (event) => {
      if (event._tag === "Ready") return void (workspace = event.workspace)
      ignoredCount = event.ignoredCount ?? ignoredCount
      messages.add(event)
    },
    result: () =>
      workspace === undefined
        ? undefined
        : { workspace, warnings: messages.all, ...(ignoredCount === undefined ? {} : { ignoredCount }) }
  }
}

export const workspaceCreate = streaming({
  name: "workspace.create",
  summary: "Create a workspace: a microVM with its own disk",
  description:
    "Starts a microVM whose /workspace is empty, or a copy of a directory, an archive or a git repository. The workspace exists until " +
    "you delete it or it expires. Commands and edits in the workspace cannot change the host. The guest has no network, unless --allow-host or --network-policy grants one.",
  cli: {
    path: ["workspace", "create"],
    args: ["environment"],
    flags: {
      memory_mib: "mem-mib",
      labels: "label",
      pause_after_seconds: "pause-after",
      secrets: "secret",
      allow_hosts: "allow-host",
      deny_hosts: "deny-host",
      allow_ips: "allow-ip",
      token_hosts: "token-host",
      allow_registries: "allow-registry"
    },
    groups: createGroups,
    filled: ["registry_auth", "ssh_agent_socket"],
    extras: { ...secretFlags, ...registryFlags, "id-only": { _tag: "switch", description: "Print only the id" } },
    hostPaths: ["seed_path", "devcontainer", "dockerfile", "ssh_agent_socket"],
    fromVariable: socketOfCaller,
    imageSources: ["environment"],
    examples: [
      "pyro create --seed-path . --name fix",
      "pyro create debian:12-build --repo-url https://github.com/owner/repo --repo-ref main",
      "pyro create --label task=42 --ttl-seconds 3600 --id-only",
      "pyro create --seed-path . --pause-after 30m",
      "pyro create --seed-path . --workspace-user agent",
      "pyro create --seed-path . --env CI=1 --cwd src",
      "pyro create --seed-path . --secret-env NPM_TOKEN",
      "pyro create --secret-env ANTHROPIC_API_KEY --secret-http ANTHROPIC_API_KEY@anthropic --allow-host api.anthropic.com",
      "pyro create --seed-path . --allow-host npm --allow-host api.example.com:443",
      "pyro create --devcontainer . --name fix --allow-host npm",
      "pyro create --dockerfile . --name app",
      "pyro create --seed-path . --name fix --allow-host github.com --ssh-agent github.com --ssh-agent-ask",
      "pyro create --from-snapshot warm --name try"
    ]
  },
  mcp: {
    tool: "workspace_create",
    ...core,
    title: "Create a workspace",
    description: "Create a disposable Linux VM with a copy of the project in /workspace. It stays until deleted",
    arguments: {
      environment: { description: "debian:12 (default), debian:12-build (compilers, Node), debian:13, …" },
      name: { description: "To use instead of the id" },
      labels: { description: "" },
      seed_path: { hostPath: "read", description: "Directory or archive to copy instead of the project" },
      empty: { own: "boolean", description: "Copy nothing" },
      include_ignored: { visibleIn: ["full"], description: "Ignored files to copy, too: globs" },
      git: { visibleIn: ["full"], description: "History to copy: full, none [shallow]" },
      workspace_user: { visibleIn: ["full"], description: "Owner of /workspace; commands run as this user" },
      ttl_seconds: { description: "Delete it after so long unused" },
      network_policy: { network: true, description: "egress: connections outwards [off]" },
      allow_hosts: {
        network: true,
        description: "Only to these: NAME[:PORT], *.SUFFIX[:PORT], npm, pypi, debian, crates, go, maven, github"
      },
      vcpu_count: { visibleIn: ["full"] },
      memory_mib: { visibleIn: ["full"] },
      disk_mib: { visibleIn: ["full"] }
    },
    omits: [
      ...secondary,
      "labels",
      "detail",
      "secrets",
      "secret_http",
      "running_commands",
      "running",
      "ignored_count",
      ...networkDetails
    ],
    essential: true
  },
  needsRoom: true,
  home: "daemon",
  errors: [
    ...ofBuilding,
    ...ofDevContainers,
    "SavedDamaged",
    "SavedNotFound",
    "SnapshotMismatch",
    "WorkspaceNameTaken"
  ],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
  payload: CreatePayload,
  event: WorkspaceEvent,
  makes: {
    count: () => 1,
    done: ([workspace]: ReadonlyArray<WorkspaceInfo>) => ({ _tag: "Ready" as const, workspace: workspace! })
  },
  result: WorkspaceResult,
  fold: foldWorkspace
})

export const workspaceList = unary({
  name: "workspace.list",
  summary: "List workspaces, the last used first",
  description: "Lists all workspaces, or those that have every given label.",
  cli: {
    path: ["workspace", "list"],
    args: [],
    flags: { labels: "label" },
    extras: { "id-only": { _tag: "switch", description: "Print only the ids" } },
    examples: [
      "pyro list",
      "pyro list --label task=42 --json",
      "pyro list --label task=42 --id-only"
    ]
  },
  mcp: {
    tool: "workspace_list",
    ...core,
    title: "List workspaces",
    description: "List workspaces, used last first",
    arguments: {
      labels: { description: "Only with these" },
      cursor: { own: "text", description: "next_cursor" }
    },
    omits: [...unchanged, "detail"]
  },
  home: "daemon",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() =>
    Schema.Struct({
      labels: defaulted(
        Labels().annotate({ description: "Labels that the workspaces must have. Default: none" }),
        () => ({})
      )
    })
  ),
  result: lazy(() =>
    Schema.Struct({
      workspaces: Schema.Array(WorkspaceInfo()).annotate({ description: "The workspaces, last used first" })
    })
  )
})

export const workspaceStatus = unary({
  name: "workspace.status",
  summary: "Show a workspace",
  description: "Shows the state, sizes, labels, seed, last use and expiry of a workspace.",
  cli: { path: ["workspace", "status"], args: ["workspace"], examples: ["pyro status fix"] },
  mcp: {
    tool: "workspace_status",
    ...core,
    title: "Show a workspace",
    description: "Show its state, labels, origin and expiry",
    omits: [...secondary.filter((field) => field !== "shells" && field !== "ports"), "pid", ...networkDetails]
  },
  states: at(every),
  errors: ["IdAmbiguous", "WorkspaceNotFound"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceRef,
  result: WorkspaceInfo
})

export const SwitchResult = lazy(() => snakeStruct({ ...resultFields(), changed: changed() }))

/** Gathers the notices, the workspace, and whether its state changed. */
export const foldSwitch = (): Folding<WorkspaceEvent, ReturnType<typeof SwitchResult>["Type"]> => {
  const folding = foldWorkspace()
  let changed = true
  return {
    add: (event) => {
      if (event._tag === "Ready") changed = event.changed ?? true
      folding.add(event)
    },
    result: () => {
      const result = folding.result()
      return result === undefined ? undefined : { ...result, changed }
    }
  }
}

export const StartPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    discardMemory: optional(
      boolean("Start a paused workspace from its disk, without its memory: its processes are lost. Default: false")
    )
  })
)

/** What a stop and a start have in common: both are steps on one workspace whose result is the changed workspace. */
const step = {
  states: at(settled, waits),
  on: "entry",
  event: WorkspaceEvent,
  result: SwitchResult,
  fold: foldSwitch
} as const

export const workspaceStop = streaming({
  ...step,
  name: "workspace.stop",
  summary: "Stop a workspace and keep its disk",
  description:
    "Ends every command and the microVM. Files stay, also in /tmp. Memory, /run and /dev/shm are lost, also of a paused workspace. " +
    "`start` starts a new microVM from the disk. A stopped workspace stays as it is.",
  cli: { path: ["workspace", "stop"], args: ["workspace"], examples: ["pyro stop fix"] },
  mcp: {
    tool: "workspace_stop",
    ...full,
    title: "Stop a workspace",
    description: "Stop a workspace's VM and keep its disk",
    omits: [...unchanged, "ignored_count"]
  },
  errors: [],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: WorkspaceRef
})

export const workspaceStart = streaming({
  ...step,
  name: "workspace.start",
  summary: "Start a workspace that is stopped or failed",
  description:
    "Starts a new microVM with the workspace's disk. A paused workspace resumes with its memory, or starts without it (--discard-memory). " +
    "A running workspace stays as it is.",
  cli: {
    path: ["workspace", "start"],
    args: ["workspace"],
    examples: ["pyro start fix", "pyro start fix --discard-memory"]
  },
  mcp: {
    tool: "workspace_start",
    ...full,
    title: "Start a workspace",
    description: "Start a stopped or failed workspace from its disk",
    arguments: { workspace: {} },
    omits: [...unchanged, "ignored_count"]
  },
  errors: [...ofBooting, "CommandNotStarted", "ExecNotFound", "NetworkUnsupported", "SnapshotMismatch"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: StartPayload
})
