import { Schema } from "effect"
import { optional } from "../text/fields.ts"
import { byName } from "../text/names.ts"
import { snakeFields } from "../text/snake.ts"
import { NetworkDriver, NetworkInfo } from "./network-fields.ts"
import { lazy } from "./operation.ts"
import { PublishedPort } from "./port-fields.ts"
import { secretNames } from "./secret-fields.ts"
import { secretHosts } from "./secret-http-fields.ts"
import { workspaceStates } from "./states.ts"
import { WorkspaceUser } from "./workspace-user.ts"

export const WorkspaceState = lazy(() =>
  Schema.Literal(...workspaceStates)
    .annotations({
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
    Schema.Struct(snakeFields({
      execId: Schema.String.annotations({ description: "Id of the command" }),
      command: Schema.String.annotations({ description: "Its words, cut if they are long" })
    }))
  )
)

/** A workspace, as `status` and `list` show it. */
export const WorkspaceInfo = lazy(() =>
  Schema.Struct(snakeFields({
    id: Schema.String.annotations({ description: "Id of the workspace. pyro never reuses an id" }),
    name: optional(Schema.String.annotations({ description: "Name of the workspace. Absent if it has none" })),
    labels: Labels().annotations({ description: "Labels by key" }),
    environment: Schema.String.annotations({ description: "Environment that the workspace was created from" }),
    environmentDigest: Schema.String.annotations({ description: "Digest of the environment's image" }),
    state: WorkspaceState(),
    detail: optional(
      Schema.String.annotations({ description: "Reason for the state. Absent if the state needs none" })
    ),
    createdAt: Schema.String.annotations({ description: "Time of creation, ISO 8601" }),
    lastActivityAt: Schema.String.annotations({
      description: "Time of the last command or write, ISO 8601. Reads do not count"
    }),
    expiresAt: optional(
      Schema.String.annotations({
        description: "Time at which pyro deletes the workspace, ISO 8601. Absent if it does not expire"
      })
    ),
    generation: Schema.Int.annotations({
      description: "Number of its microVMs so far. Every start and reset makes a new one"
    }),
    vcpuCount: Schema.Int.annotations({ description: "Number of virtual CPUs" }),
    memoryMib: Schema.Int.annotations({ description: "Guest memory in MiB" }),
    diskMib: Schema.Int.annotations({ description: "Size of the disk in MiB" }),
    diskUsedBytes: optional(
      Schema.Int.annotations({
        description:
          "Bytes of the host's disk that the changes of the workspace take, without its seed and snapshots. Absent if the record cannot be read"
      })
    ),
    seedPath: optional(
      Schema.String.annotations({ description: "Host path that was copied to /workspace. Absent without one" })
    ),
    repoUrl: optional(Schema.String.annotations({ description: "Git URL that was checked out. Absent without one" })),
    repoRef: optional(
      Schema.String.annotations({ description: "Branch, tag or commit of the URL. Absent without one" })
    ),
    workspaceUser: optional(
      WorkspaceUser().annotations({
        description: "Owner of /workspace and default user of commands. Absent if the record cannot be read"
      })
    ),
    project: optional(
      Schema.String.annotations({
        description:
          "Project of the workspace: a directory of the host, or a repository's URL. `mcp serve` reaches its own project's workspaces only"
      })
    ),
    forkedFrom: optional(
      Schema.String.annotations({
        description: "Id of the workspace that was forked, which may be deleted. Absent if this is no fork"
      })
    ),
    secrets: secretNames(),
    secretHttp: secretHosts(),
    networkDriver: optional(
      NetworkDriver().annotations({
        description: "How the network reaches the guest. Absent if the record cannot be read"
      })
    ),
    network: optional(
      NetworkInfo().annotations({
        description:
          "Network of the guest, or the network that the next start brings back. Absent if the record cannot be read"
      })
    ),
    ports: optional(
      Schema.Array(PublishedPort()).annotations({ description: "Published ports. Absent if the record cannot be read" })
    ),
    runningCommands: Schema.Int.annotations({ description: "Number of running commands" }),
    services: optional(
      byName(Schema.Int).annotations({
        description: "Number of services by their state. Absent if the record cannot be read"
      })
    ),
    running: optional(
      RunningCommands().annotations({
        description: "The newest 10 running commands. Absent if the record cannot be read"
      })
    ),
    shells: optional(
      Schema.Int.annotations({ description: "Number of open shells. Absent if the record cannot be read" })
    )
  }))
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
