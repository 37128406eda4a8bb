import { Schema } from "effect"
import { integer, optional, string } from "../text/fields.ts"
import { byName } from "../text/names.ts"
import { snakeStruct } from "../text/snake.ts"
import { processId } from "./command.ts"
import { NetworkInfo } from "./network-fields.ts"
import { lazy } from "./operation.ts"
import { secretCommandNames, secretHosts, secretNames } from "./secret-fields.ts"
import { LentAgent, WaitingLogin } from "./ssh-agent-fields.ts"
import { workspaceStates } from "./states.ts"
import { WaitingExport } from "./workspace-answer.ts"
import { Driver, WorkspaceUser } from "./workspace-field.ts"
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
      execId: string("Id of the command"),
      pid: optional(processId("Absent if the guest has not started it yet")),
      command: string("Its words, cut if they are long")
    })
  )
)

/** A workspace, as `status` and `list` show it. */
export const WorkspaceInfo = lazy(() =>
  snakeStruct({
    id: string("Id of the workspace. pyro never reuses an id"),
    name: optional(string("Name of the workspace. Absent if it has none")),
    labels: Labels().annotate({ description: "Labels by key" }),
    environment: string("Environment that the workspace was created from"),
    environmentDigest: string("Digest of the environment's image"),
    state: WorkspaceState(),
    detail: optional(string("Reason for the state. Absent if the state needs none")),
    createdAt: string("Time of creation, ISO 8601"),
    lastActivityAt: string("Time of the last command or write, ISO 8601. Reads do not count"),
    expiresAt: optional(string("Time at which pyro deletes the workspace, ISO 8601. Absent if it does not expire")),
    pauseAfterSeconds: optional(
      integer("Seconds without a use until pyro pauses the workspace. Absent if pyro does not")
    ),
    generation: integer("Number of its microVMs so far. Every start and reset makes a new one"),
    vcpuCount: integer("Number of virtual CPUs"),
    memoryMib: integer("Guest memory in MiB"),
    diskMib: integer("Size of the disk in MiB"),
    diskUsedBytes: optional(
      integer(
        "Bytes of the host's disk that the changes of the workspace take, without its seed and snapshots. Absent if the record cannot be read"
      )
    ),
    pausedBytes: optional(
      integer("Bytes of the host's disk that the memory of a paused workspace takes. Absent for others")
    ),
    seedPath: optional(string("Host path that was copied to /workspace. Absent without one")),
    repoUrl: optional(string("Git URL that was checked out. Absent without one")),
    repoRef: optional(string("Branch, tag or commit of the URL. Absent without one")),
    workspaceUser: optional(
      WorkspaceUser().annotate({
        description:
          "Owner of /workspace and default user of commands. Absent if the record cannot be read, or if both are the user of an image"
      })
    ),
    env: optional(
      byName(Schema.String).annotate({
        description: "Environment variables of its commands, shells and services. Absent if there are none"
      })
    ),
    cwd: optional(
      string("Working directory of its commands, shells and services, if not /workspace. Absent otherwise")
    ),
    project: optional(
      string(
        "Project of the workspace: a directory of the host, or a repository's URL. `mcp serve` reaches its own project's workspaces only"
      )
    ),
    forkedFrom: optional(
      string("Id of the workspace that was forked, which may be deleted. Absent if this is no fork")
    ),
    secrets: secretNames(),
    secretHttp: secretHosts(),
    secretCommands: secretCommandNames(),
    driver: optional(
      Driver().annotate({ description: "Program that runs its microVMs. Absent if the record cannot be read" })
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
    runningCommands: integer("Number of running commands. Those of a paused workspace stand still"),
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
    shells: optional(integer("Number of open shells. Absent if the record cannot be read")),
    sshConnections: optional(integer("Number of open SSH connections. Absent if there are none")),
    pendingExports: optional(
      Schema.Array(WaitingExport()).annotate({
        description: "Exports that wait for the user, who answers with `answer`. Absent if there are none"
      })
    ),
    pendingLogins: optional(
      Schema.Array(WaitingLogin()).annotate({
        description:
          "Logins with a lent SSH agent that wait for the user, who answers with `answer`. Absent if there are none"
      })
    ),
    sshAgent: optional(
      LentAgent().annotate({
        description: "The SSH agent that a person lends to the workspace. Absent if there is none"
      })
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
  "pause_after_seconds",
  "vcpu_count",
  "memory_mib",
  "disk_mib",
  "disk_used_bytes",
  "paused_bytes",
  "repo_url",
  "services",
  "repo_ref",
  "workspace_user",
  "env",
  "cwd",
  "driver",
  "network_driver",
  "shells",
  "ssh_connections",
  "secret_commands",
  "ssh_agent",
  "pending_exports",
  "pending_logins",
  "project",
  "forked_from",
  "ports"
] as const

/** Fields that MCP results of a step on a workspace leave out: the step does not change them. */
export const unchanged = [
  ...secondary,
  "seed_path",
  "secrets",
  "secret_http",
  "running_commands",
  "running",
  "network"
] as const
