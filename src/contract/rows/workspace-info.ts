import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { byName } from "../text/names.ts"
import { snakeStruct } from "../text/snake.ts"
import { NetworkDriver, NetworkInfo } from "./network-fields.ts"
import { lazy } from "./operation.ts"
import { secretHosts, secretNames } from "./secret-fields.ts"
import { workspaceStates } from "./states.ts"
import { WorkspaceUser } from "./workspace-field.ts"
import { PublishedPort } from "./workspace-port.ts"

export const WorkspaceState = lazy(() =>
  Schema.Literals(workspaceStates).annotate({
    description:
      "State of the workspace. `failed`: the microVM died, and `start` or `reset` starts a new one; or the record cannot be read, as " +
      "`detail` says"
  })
)
export type WorkspaceState = (typeof workspaceStates)[number]

const Labels = lazy(() => byName(Schema.String))

/** Running commands, with the ids that `exec`, `cancel` and `logs` take. */
export const RunningCommands = lazy(() =>
  Schema.Array(
    snakeStruct({
      execId: Schema.String.annotate({ description: "Id of the command" }),
      command: Schema.String.annotate({ description: "Its words, cut if they are long" })
    })
  )
)

/** A workspace, as `status` and `list` show it. */
export const WorkspaceInfo = lazy(() =>
  snakeStruct({
    id: Schema.String.annotate({ description: "Id of the workspace. pyro never reuses an id" }),
    name: optional(Schema.String.annotate({ description: "Name of the workspace. Absent if it has none" })),
    labels: Labels().annotate({ description: "Labels by key" }),
    environment: Schema.String.annotate({ description: "Environment that the workspace was created from" }),
    environmentDigest: Schema.String.annotate({ description: "Digest of the environment's image" }),
    state: WorkspaceState(),
    detail: optional(
      Schema.String.annotate({ description: "Reason for the state. Absent if the state needs none" })
    ),
    createdAt: Schema.String.annotate({ description: "Time of creation, ISO 8601" }),
    lastActivityAt: Schema.String.annotate({
      description: "Time of the last command or write, ISO 8601. Reads do not count"
    }),
    expiresAt: optional(
      Schema.String.annotate({
        description: "Time at which pyro deletes the workspace, ISO 8601. Absent if it does not expire"
      })
    ),
    generation: Schema.Int.annotate({
      description: "Number of its microVMs so far. Every start and reset makes a new one"
    }),
    vcpuCount: Schema.Int.annotate({ description: "Number of virtual CPUs" }),
    memoryMib: Schema.Int.annotate({ description: "Guest memory in MiB" }),
    diskMib: Schema.Int.annotate({ description: "Size of the disk in MiB" }),
    diskUsedBytes: optional(
      Schema.Int.annotate({
        description:
          "Bytes of the host's disk that the changes of the workspace take, without its seed and snapshots. Absent if the record cannot be read"
      })
    ),
    seedPath: optional(
      Schema.String.annotate({ description: "Host path that was copied to /workspace. Absent without one" })
    ),
    repoUrl: optional(Schema.String.annotate({ description: "Git URL that was checked out. Absent without one" })),
    repoRef: optional(
      Schema.String.annotate({ description: "Branch, tag or commit of the URL. Absent without one" })
    ),
    workspaceUser: optional(
      WorkspaceUser().annotate({
        description: "Owner of /workspace and default user of commands. Absent if the record cannot be read"
      })
    ),
    project: optional(
      Schema.String.annotate({
        description:
          "Project of the workspace: a directory of the host, or a repository's URL. `mcp serve` reaches its own project's workspaces only"
      })
    ),
    forkedFrom: optional(
      Schema.String.annotate({
        description: "Id of the workspace that was forked, which may be deleted. Absent if this is no fork"
      })
    ),
    secrets: secretNames(),
    secretHttp: secretHosts(),
    networkDriver: optional(
      NetworkDriver().annotate({
        description: "How the network reaches the guest. Absent if the record cannot be read"
      })
    ),
    network: optional(
      NetworkInfo().annotate({
        description:
          "Network of the guest, or the network that the next start brings back. Absent if the record cannot be read"
      })
    ),
    ports: optional(
      Schema.Array(PublishedPort()).annotate({ description: "Published ports. Absent if the record cannot be read" })
    ),
    runningCommands: Schema.Int.annotate({ description: "Number of running commands" }),
    services: optional(
      byName(Schema.Int).annotate({
        description: "Number of services by their state. Absent if the record cannot be read"
      })
    ),
    running: optional(
      RunningCommands().annotate({
        description: "The newest 10 running commands. Absent if the record cannot be read"
      })
    ),
    shells: optional(
      Schema.Int.annotate({ description: "Number of open shells. Absent if the record cannot be read" })
    )
  })
)
export type WorkspaceInfo = ReturnType<typeof WorkspaceInfo>["Type"]

/** Fields of a workspace that MCP results leave out. */
export const secondary = [
  "created_at",
  "environment_digest",
  "generation",
  "last_activity_at",
  "vcpu_count",
  "memory_mib",
  "disk_mib",
  "disk_used_bytes",
  "repo_url",
  "services",
  "repo_ref",
  "workspace_user",
  "network_driver",
  "shells",
  "project",
  "forked_from",
  "ports"
] as const
