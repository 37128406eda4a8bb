import { Schema } from "effect"
import { allowHome, defaulted, hostPath, ignoredPaths } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { workspaceField } from "./workspace-field.ts"

export const SyncPushPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    sourcePath: hostPath("Directory of the host whose files go to /workspace, each to its own place there"),
    includeIgnored: ignoredPaths(),
    allowHome: allowHome(),
    delete: defaulted(
      Schema.Boolean.annotations({
        description: "Also remove from /workspace what it started with and the directory no longer has"
      }),
      () => false
    ),
    force: defaulted(
      Schema.Boolean.annotations({ description: "Overwrite what was changed in the workspace as well" }),
      () => false
    )
  }))
)
export type SyncPushPayload = ReturnType<typeof SyncPushPayload>["Type"]

const path = (description: string) =>
  Schema.String.annotations({ description: `${description}; one that is not UTF-8 in git's quoted form` })

const Reasons = lazy(() =>
  Schema.Array(Schema.Struct({
    path: path("Path relative to /workspace"),
    reason: Schema.String.annotations({ description: "Why" })
  }))
)

export const SyncPushed = lazy(() =>
  Schema.Struct(snakeFields({
    filesPushed: Schema.Int.annotations({ description: "How many files and links were written or removed" }),
    writtenCount: Schema.Int.annotations({ description: "How many files and links were written" }),
    removedCount: Schema.Int.annotations({ description: "How many files and links were removed" }),
    equalCount: Schema.Int.annotations({
      description:
        "How many files and links had changed on the host and were equal in the workspace already. They count as pushed in diffs"
    }),
    bytes: Schema.Int.annotations({ description: "Content that was written" }),
    files: Schema.Array(
      Schema.Struct({
        path: path("Path relative to /workspace"),
        change: Schema.Literal("added", "modified", "deleted")
      })
    ).annotations({ description: "Those files, the first 1000 at most" }),
    conflictCount: Schema.Int.annotations({
      description: "How many were left alone because of a change in the workspace"
    }),
    conflicts: Reasons().annotations({ description: "Those files, the first 1000 at most" }),
    skippedCount: Schema.Int.annotations({ description: "How many paths of the host could not be taken" }),
    skipped: Reasons().annotations({ description: "Those paths, the first 1000 at most" }),
    goneCount: Schema.Int.annotations({
      description: "How many files and links are gone on the host and stay in the workspace; `delete` removes them"
    }),
    gone: Schema.Array(path("Path relative to /workspace")).annotations({
      description: "Those paths, the first 20 at most"
    }),
    ignoredCount: Schema.Int.annotations({
      description: "How many ignored files and directories stay on the host; a directory counts as one"
    }),
    ignored: Schema.Array(path("Path relative to the directory")).annotations({
      description: "Those paths, the first 20 at most"
    })
  }))
)
export type SyncPushed = ReturnType<typeof SyncPushed>["Type"]

export const workspaceSyncPush = unary({
  name: "workspace.sync.push",
  summary: "Bring later changes of a host directory into a workspace",
  description:
    "Copies into /workspace what has changed in a directory of the host since the workspace was made, or since the last push: of a " +
    "git work tree what git tracks or would offer to add. What is pushed becomes part of what the workspace started with, so that " +
    "diff and patch go on showing only what was done in the workspace. A file that was changed there too is left alone and " +
    "reported, unless forced. A file of more than 64 MiB is skipped and reported, and so is what makes more than 512 MiB of one push: " +
    "the next push brings that. A file that is gone on the host stays in the workspace and is reported, unless --delete is given. " +
    "The repository's history is not pushed.",
  cli: {
    path: ["workspace", "sync", "push"],
    args: ["workspace", "source_path"],
    hostPaths: ["source_path"],
    exits: "own",
    examples: [
      "pyro workspace sync push fix .",
      "pyro workspace sync push fix . --delete --json",
      "pyro workspace sync push fix . --include-ignored .env --force"
    ]
  },
  mcp: {
    tool: "workspace_sync_push",
    profiles: ["core", "full"],
    title: "Bring host changes in",
    description: "Bring later changes of the user's project in; they are no part of the diff",
    arguments: {
      workspace: {},
      source_path: { hostPath: "read", needed: false, description: "Directory instead of the project" },
      include_ignored: { visibleIn: ["full"], description: "Ignored files to bring, too: globs" },
      delete: { description: "Also remove what is gone" },
      force: { description: "Overwrite what was changed here too" }
    },
    omits: ["bytes", "equal_count", "gone", "ignored", "ignored_count", "removed_count", "written_count"]
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: SyncPushPayload,
  result: SyncPushed
})
