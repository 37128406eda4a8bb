import { Schema } from "effect"
import { between, boolean, defaulted, list, optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { variables, workingDirectory } from "./command.ts"
import { lazy, unary } from "./operation.ts"
import { updateGroups } from "./option-groups.ts"
import {
  clearSecretHttpField,
  clearSecretsField,
  secretCommandsField,
  secretFlags,
  secretHttpField,
  secretsField
} from "./secret-fields.ts"
import { socketOfCaller, sshAgentFields } from "./ssh-agent-fields.ts"
import { at, settledOrAttaching, waits } from "./states.ts"
import { Labels, workspaceField, WorkspaceName } from "./workspace-field.ts"
import { unchanged, WorkspaceInfo } from "./workspace-info.ts"
import { MAX_TTL_SECONDS, pauseAfterField } from "./workspace-times.ts"

export const UpdatePayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    name: optional(WorkspaceName().annotate({ description: "New name. Default: unchanged" })),
    clearName: optional(boolean("Remove the name: the id stays")),
    labels: defaulted(
      Labels().annotate({ description: "Labels to set. Other labels stay. Default: none" }),
      () => ({})
    ),
    clearLabels: defaulted(
      list(Schema.String).annotate({ description: "Keys of labels to remove. Default: none" }),
      () => []
    ),
    ttlSeconds: optional(
      between({
        from: 0,
        to: MAX_TTL_SECONDS,
        unit: "seconds",
        description: "Seconds from the last activity until pyro deletes the workspace; 0: never. Default: unchanged"
      })
    ),
    pauseAfterSeconds: pauseAfterField("unchanged"),
    env: defaulted(
      variables(
        "Environment variables of the workspace to set, for commands, shells and runs of services that start later. Others stay. Default: none"
      ),
      () => ({})
    ),
    clearEnv: defaulted(
      list(Schema.String).annotate({ description: "Names of environment variables to remove. Default: none" }),
      () => []
    ),
    cwd: optional(
      workingDirectory(
        "New working directory of commands, shells and services that name none. A relative path is relative to /workspace. Default: unchanged"
      )
    ),
    diskMib: optional(
      between({
        from: 64,
        to: 4_194_304,
        unit: "MiB",
        description:
          "New size of the disk in MiB, for a stopped or failed workspace. A disk never shrinks. Default: unchanged"
      })
    ),
    ...secretsField("Secrets to set or to replace, by name. Other secrets stay. Default: none"),
    ...secretHttpField("Other hosts stay. Default: none"),
    ...secretCommandsField("Default: unchanged, and a name in `secret_http` takes the value from commands"),
    ...clearSecretsField(),
    ...clearSecretHttpField(),
    ...sshAgentFields("unchanged"),
    clearSshAgent: optional(boolean("Lend the SSH agent no longer. Default: false"))
  })
)
export type UpdatePayload = ReturnType<typeof UpdatePayload>["Type"]

export const workspaceUpdate = unary({
  name: "workspace.update",
  summary: "Change a workspace's name, labels, expiry, pause, variables, secrets, SSH agent or disk size",
  description:
    "Changes the given fields only, and adds new labels, variables and secrets. A removed secret has no host either. pyro removes former values of secrets from output until a reset. With --disk-mib, " +
    "the disk of a stopped workspace grows, and the next start grows its file system. --ssh-agent lends your SSH agent for these hosts in place of those before.",
  cli: {
    path: ["workspace", "update"],
    args: ["workspace"],
    flags: {
      labels: "label",
      clear_labels: "clear-label",
      pause_after_seconds: "pause-after",
      secrets: "secret",
      clear_secrets: "clear-secret"
    },
    groups: updateGroups,
    filled: ["ssh_agent_socket"],
    extras: secretFlags,
    hostPaths: ["ssh_agent_socket"],
    fromVariable: socketOfCaller,
    examples: [
      "pyro update fix --label reviewed=yes --ttl-seconds 3600",
      "pyro update fix --pause-after 30m",
      "pyro update fix --env CI=1 --cwd src",
      "pyro update fix --disk-mib 65536",
      "pyro update fix --ssh-agent github.com --ssh-agent-ask",
      "pyro update fix --clear-ssh-agent"
    ]
  },
  mcp: {
    tool: "workspace_update",
    profiles: ["core", "full"],
    title: "Update a workspace",
    description: "Change a workspace's name, labels or expiry",
    arguments: {
      workspace: {},
      name: { description: "New name" },
      labels: { description: "To set; others stay" },
      clear_labels: { description: "Keys to remove" },
      ttl_seconds: { description: "Delete it after so long unused; 0: never" },
      disk_mib: { description: "Grow the disk of a stopped workspace", visibleIn: ["full"] }
    },
    omits: [...unchanged, "environment", "state", "detail"]
  },
  states: at(settledOrAttaching, waits),
  on: "entry",
  errors: ["ImageDamaged", "WorkspaceNameTaken"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: UpdatePayload,
  result: WorkspaceInfo
})

const RenamePayload = lazy(() =>
  snakeStruct({ workspace: workspaceField(), name: WorkspaceName().annotate({ description: "New name" }) })
)

export const workspaceRename = unary({
  name: "workspace.rename",
  summary: "Give a workspace another name",
  description:
    "Changes the name, and the host name of the guest with it. An open shell shows the former host name in its prompt. The id stays. " +
    "`update --clear-name` removes a name.",
  cli: { path: ["workspace", "rename"], args: ["workspace", "name"], examples: ["pyro rename fix parser"] },
  mcp: { missing: "`workspace_update` sets the name" },
  states: at(settledOrAttaching, waits),
  on: "entry",
  errors: ["ImageDamaged", "WorkspaceNameTaken"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: RenamePayload,
  result: WorkspaceInfo
})
