import { Schema } from "effect"
import { optional } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { workspaceField } from "./workspace-field.ts"
import { RunningCommands, WorkspaceState } from "./workspace-info.ts"

export const SummaryPayload = lazy(() => Schema.Struct(snakeFields({ workspace: workspaceField() })))
export type SummaryPayload = ReturnType<typeof SummaryPayload>["Type"]

const Command = lazy(() =>
  Schema.Struct(snakeFields({
    execId: Schema.String,
    command: Schema.String.annotations({ description: "Its words, cut where they are long" }),
    outcome: Schema.Literal("exited", "signaled", "timed_out", "out_of_memory", "running", "lost"),
    status: optional(Schema.Int),
    durationMs: optional(Schema.Number)
  }))
)
export type SummaryCommand = ReturnType<typeof Command>["Type"]

const Commands = lazy(() =>
  Schema.Struct(snakeFields({
    total: Schema.Int,
    succeeded: Schema.Int.annotations({ description: "Ended with status 0" }),
    failed: Schema.Int.annotations({ description: "Ended in any other way" }),
    running: Schema.Int,
    lastFailed: Schema.Array(Command()).annotations({ description: "The newest 5 of those that failed, oldest first" }),
    stillRunning: RunningCommands().annotations({ description: "The newest 10 of those that run, oldest first" }),
    last: Schema.Array(Command()).annotations({ description: "The newest 5 of all, oldest first" })
  }))
)

const Changes = lazy(() =>
  Schema.Struct(snakeFields({
    files: Schema.Int,
    additions: Schema.Int.annotations({ description: "Lines added in all" }),
    deletions: Schema.Int.annotations({ description: "Lines taken away in all" }),
    ignoredCount: Schema.Int.annotations({
      description: "New files that ignore rules keep out: those of the baseline, and of ignore files made in the guest"
    }),
    first: Schema.Array(Schema.Struct({
      path: Schema.String.annotations({
        description: "Relative to /workspace; quoted as git does where it is no plain text"
      }),
      status: Schema.Literal("added", "modified", "deleted", "renamed", "type_changed")
    })).annotations({ description: "The first 20 of them" })
  }))
)

const Exported = lazy(() =>
  Schema.Struct(snakeFields({
    at: Schema.String.annotations({ description: "ISO 8601" }),
    kind: Schema.Literal("file", "directory", "archive", "patch"),
    path: optional(Schema.String.annotations({ description: "What of the workspace; absent for a patch" })),
    output: Schema.String.annotations({ description: "Where it was written on the host, or -" }),
    files: Schema.Int,
    bytes: Schema.Number
  }))
)
export type SummaryExport = ReturnType<typeof Exported>["Type"]

export const SummaryResult = lazy(() =>
  Schema.Struct(snakeFields({
    id: Schema.String,
    name: optional(Schema.String),
    state: WorkspaceState(),
    since: Schema.String.annotations({
      description: "When it was made, or last reset, ISO 8601: all of this came after"
    }),
    commands: Commands(),
    changes: optional(Changes().annotations({ description: "Against what the workspace started from" })),
    changesUnknown: optional(Schema.String.annotations({ description: "Why nothing can be said of changes now" })),
    exportCount: Schema.Int,
    exports: Schema.Array(Exported()).annotations({ description: "The newest 5, oldest first" }),
    text: Schema.String.annotations({ description: "All of this in a few lines" })
  }))
)
export type SummaryResult = ReturnType<typeof SummaryResult>["Type"]

export const workspaceSummary = unary({
  name: "workspace.summary",
  summary: "Tell briefly what was done in a workspace",
  description:
    "Says which commands ran since the workspace was made or last reset and how they ended, which files differ from what it " +
    "started from, and what was exported. Short enough for a chat: names are limited, counts are not. `workspace logs` and " +
    "`workspace diff` have the whole.",
  cli: {
    path: ["workspace", "summary"],
    args: ["workspace"],
    exits: "own",
    examples: ["pyro workspace summary fix", "pyro workspace summary fix --json"]
  },
  mcp: {
    tool: "workspace_summary",
    profiles: ["core", "full"],
    title: "Summarize",
    description: "Tell commands, changed files and exports since creation or reset, briefly",
    omits: ["since", "ignored_count", "last", "last_failed", "first", "exports", "changes_unknown"]
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: SummaryPayload,
  result: SummaryResult
})
