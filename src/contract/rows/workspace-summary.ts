import { Schema } from "effect"
import { integer, milliseconds, number, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { NetworkInfo, networkRules } from "./network-fields.ts"
import { lazy, unary } from "./operation.ts"
import { at, readable } from "./states.ts"
import { WorkspaceRef } from "./workspace-field.ts"
import { RunningCommands, WorkspaceState } from "./workspace-info.ts"
import { NetworkRecord } from "./workspace-network.ts"

const Command = lazy(() =>
  snakeStruct({
    execId: string("Id of the command"),
    command: string("Its words, cut if they are long"),
    outcome: Schema.Literals(["exited", "signaled", "timed_out", "out_of_memory", "running", "lost"]).annotate({
      description: "How the command ended, or `running`. `lost`: the microVM ended first"
    }),
    status: optional(integer("Exit status. Absent while the command runs")),
    durationMs: optional(milliseconds("Time from start to end", "Absent while the command runs"))
  })
)
export type SummaryCommand = ReturnType<typeof Command>["Type"]

const Commands = lazy(() =>
  snakeStruct({
    total: integer("Number of commands"),
    succeeded: integer("Number of commands that ended with status 0"),
    failed: integer("Number of commands that ended in another way"),
    running: integer("Number of running commands"),
    lastFailed: Schema.Array(Command()).annotate({ description: "The newest 5 failed commands, oldest first" }),
    stillRunning: RunningCommands().annotate({ description: "The newest 10 running commands, oldest first" }),
    last: Schema.Array(Command()).annotate({ description: "The newest 5 commands, oldest first" })
  })
)

const Changes = lazy(() =>
  snakeStruct({
    files: integer("Number of changed files"),
    additions: integer("Total lines added"),
    deletions: integer("Total lines removed"),
    ignoredCount: integer(
      "Number of new files that ignore rules exclude: rules of the seed, and of ignore files made in the guest"
    ),
    nestedCount: optional(
      integer(
        "Number of repositories, work trees and submodules that commands made in /workspace, and whose new files are left out. Absent if " +
          "there are none"
      )
    ),
    first: Schema.Array(Schema.Struct({
      path: string("Path relative to /workspace. A path that is no plain text is in git's quoted form"),
      status: Schema.Literals(["added", "modified", "deleted", "renamed", "type_changed", "mounted"]).annotate({
        description: "Kind of change"
      })
    })).annotate({ description: "The first 20 changed files" })
  })
)

const Exported = lazy(() =>
  snakeStruct({
    at: string("Time of the export, ISO 8601"),
    kind: Schema.Literals(["file", "directory", "archive", "patch", "changes", "disk"]).annotate({
      description: "Kind of the export"
    }),
    path: optional(string("Path in the workspace. Absent for a patch")),
    output: string("Path that was written on the host, or -"),
    files: integer("Number of files"),
    bytes: number("Size of all files in bytes")
  })
)
export type SummaryExport = ReturnType<typeof Exported>["Type"]

export const SummaryResult = lazy(() =>
  snakeStruct({
    id: string("Id of the workspace"),
    name: optional(string("Name of the workspace. Absent if it has none")),
    state: WorkspaceState(),
    since: string("Start of the summary: time of creation or last reset, ISO 8601"),
    commands: Commands().annotate({ description: "Commands since then" }),
    changes: optional(Changes().annotate({ description: "Changes since the seed. Absent if they are unknown" })),
    changesUnknown: optional(string("Reason why the changes are unknown. Absent otherwise")),
    exportCount: integer("Number of exports since then"),
    exports: Schema.Array(Exported()).annotate({ description: "The newest 5 exports, oldest first" }),
    network: optional(
      NetworkInfo().annotate({
        description:
          "Network of the guest, or the network that the next start brings back. Absent before the workspace is created"
      })
    ),
    lastDenied: optional(
      Schema.Array(NetworkRecord()).annotate({
        description: "The newest 5 denials since then, oldest first. Absent as `network`"
      })
    ),
    text: string("The summary as text, in a few lines")
  })
)
export type SummaryResult = ReturnType<typeof SummaryResult>["Type"]

export const workspaceSummary = unary({
  name: "workspace.summary",
  summary: "Summarize a workspace: commands, changed files, exports",
  description:
    "Shows the commands since create or the last reset with their outcomes, the changed files, and the exports. Lists are short enough for a " +
    "chat; counts are complete. `logs` and `diff` show everything.",
  cli: {
    path: ["workspace", "summary"],
    args: ["workspace"],
    examples: ["pyro summary fix", "pyro summary fix --json"]
  },
  mcp: {
    tool: "workspace_summary",
    profiles: ["core", "full"],
    title: "Summarize",
    description: "Show commands, changed files and exports since creation or reset",
    omits: [
      "name",
      "state",
      "since",
      "ignored_count",
      "nested_count",
      "last",
      "last_failed",
      "first",
      "exports",
      "changes_unknown",
      "last_denied",
      "pid",
      ...networkRules
    ]
  },
  states: at(readable),
  on: "entry",
  errors: [],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: WorkspaceRef,
  result: SummaryResult
})
