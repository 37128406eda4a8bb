import { Schema } from "effect"
import { optional } from "../fields.ts"
import { byName } from "../names.ts"
import { lazy } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { WorkspaceUser } from "./workspace-user.ts"

export const WorkspaceState = lazy(() =>
  Schema.Literal("creating", "running", "starting", "stopping", "stopped", "failed", "resetting", "deleting")
    .annotations({
      description:
        "`failed`: its microVM died; the disk is kept, `start` or `reset` brings it back. Or its record cannot be read, as " +
        "`detail` says"
    })
)
export type WorkspaceState = ReturnType<typeof WorkspaceState>["Type"]

const Labels = lazy(() => byName(Schema.String))

/** Commands that run, by the ids that `exec`, `cancel` and `logs` take. */
export const RunningCommands = lazy(() =>
  Schema.Array(
    Schema.Struct(snakeFields({
      execId: Schema.String,
      command: Schema.String.annotations({ description: "Its words, cut where they are long" })
    }))
  )
)

/** What a workspace is, as `status` and `list` tell it. */
export const WorkspaceInfo = lazy(() =>
  Schema.Struct(snakeFields({
    id: Schema.String.annotations({ description: "Never used again for another workspace" }),
    name: optional(Schema.String),
    labels: Labels(),
    environment: Schema.String,
    environmentDigest: Schema.String,
    state: WorkspaceState(),
    detail: optional(Schema.String.annotations({ description: "Why it is in this state, when that needs saying" })),
    createdAt: Schema.String.annotations({ description: "ISO 8601" }),
    lastActivityAt: Schema.String.annotations({
      description: "When a command ran or something was written last, ISO 8601; looking does not count"
    }),
    expiresAt: optional(Schema.String.annotations({ description: "When it is deleted by itself, ISO 8601" })),
    generation: Schema.Int.annotations({ description: "Counts its microVMs: every start and reset makes a new one" }),
    vcpuCount: Schema.Int,
    memoryMib: Schema.Int,
    diskMib: Schema.Int,
    seedPath: optional(Schema.String.annotations({ description: "Host path that /workspace was filled from" })),
    repoUrl: optional(Schema.String),
    repoRef: optional(Schema.String),
    workspaceUser: optional(
      WorkspaceUser().annotations({
        description: "Owner of /workspace, whom commands run as by default; absent if the record cannot be read"
      })
    ),
    project: optional(
      Schema.String.annotations({
        description:
          "Project that it was made for: a directory of the host, or a repository's URL. `mcp serve` reaches those of its own"
      })
    ),
    forkedFrom: optional(
      Schema.String.annotations({ description: "Id of the workspace that it is a fork of; that one may be gone" })
    ),
    runningCommands: Schema.Int,
    running: optional(
      RunningCommands().annotations({ description: "The newest 10 of the commands that run; absent when none runs" })
    )
  }))
)
export type WorkspaceInfo = ReturnType<typeof WorkspaceInfo>["Type"]

/** What of a workspace a model does without. */
export const secondary = [
  "created_at",
  "environment_digest",
  "generation",
  "last_activity_at",
  "vcpu_count",
  "memory_mib",
  "disk_mib",
  "repo_url",
  "repo_ref",
  "workspace_user",
  "project",
  "forked_from"
] as const
