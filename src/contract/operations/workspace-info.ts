import { Schema } from "effect"
import { optional } from "../fields.ts"
import { byName } from "../names.ts"
import { lazy } from "../operation.ts"
import { snakeFields } from "../snake.ts"

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
    project: optional(
      Schema.String.annotations({
        description:
          "Project that it was made for: a directory of the host, or a repository's URL. `mcp serve` reaches those of its own"
      })
    ),
    forkedFrom: optional(
      Schema.String.annotations({ description: "Id of the workspace that it is a fork of; that one may be gone" })
    ),
    runningCommands: Schema.Int
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
  "project",
  "forked_from"
] as const
