import { Schema } from "effect"
import { allowHome, defaulted, flag, hostPath, ignoredPaths, integer, string, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { gitPath } from "./file-fields.ts"
import { warnings } from "./notice.ts"
import { lazy, unary } from "./operation.ts"
import { at, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const SyncPushPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    sourcePath: hostPath("Directory of the host to copy"),
    dest: defaulted(
      text("Directory of /workspace to copy to, created if it is missing"),
      () => ""
    ),
    includeIgnored: ignoredPaths(),
    allowHome: allowHome(),
    delete: flag("Remove files from the workspace that were seeded and are gone from the directory"),
    force: flag("Overwrite files that were changed in the workspace")
  })
)
export type SyncPushPayload = ReturnType<typeof SyncPushPayload>["Type"]

const Reasons = lazy(() =>
  Schema.Array(Schema.Struct({ path: gitPath("Path relative to /workspace"), reason: string("Reason, one sentence") }))
)

export const SyncPushed = lazy(() =>
  snakeStruct({
    filesPushed: integer("Number of files and links that were written or removed"),
    writtenCount: integer("Number of files and links that were written"),
    removedCount: integer("Number of files and links that were removed"),
    equalCount: integer(
      "Number of files and links that had changed on the host and were equal in the workspace. Diffs count them as pushed"
    ),
    bytes: integer("Bytes that were written"),
    files: Schema.Array(
      Schema.Struct({
        path: gitPath("Path relative to /workspace"),
        change: Schema.Literals(["added", "modified", "deleted"]).annotate({ description: "Kind of change" })
      })
    ).annotate({ description: "The first 1000 of these files" }),
    conflictCount: integer("Number of files that were not pushed, because they were changed in the workspace"),
    conflicts: Reasons().annotate({ description: "The first 1000 of these files" }),
    skippedCount: integer("Number of paths of the host that could not be copied"),
    skipped: Reasons().annotate({ description: "The first 1000 of these paths" }),
    missingOnHostCount: integer(
      "Number of files and links that are gone on the host and stay in the workspace. `delete` removes them"
    ),
    missingOnHost: Schema.Array(gitPath("Path relative to /workspace")).annotate({
      description: "The first 20 of these paths"
    }),
    ignoredCount: integer("Number of ignored files and directories that were not copied. A directory counts as one"),
    ignored: Schema.Array(gitPath("Path relative to the directory")).annotate({
      description: "The first 20 of these paths"
    }),
    warnings: warnings()
  })
)
export type SyncPushed = ReturnType<typeof SyncPushed>["Type"]

export const workspaceSyncPush = unary({
  name: "workspace.sync.push",
  summary: "Copy later changes of a host directory into a workspace",
  description:
    "Copies files to /workspace, or to a directory of it with --dest, that changed in a directory of the host since create, or since the last push. From a git work tree, " +
    "copies tracked files, and untracked files that are not ignored. Pushed files become part of the seed, so diff and patch leave them out. " +
    "Files that were changed in the workspace as well are reported, and copied only with --force. Files that are gone on the host are " +
    "reported, and removed only with --delete. Files of any size are pushed. The git history is not pushed.",
  cli: {
    path: ["workspace", "sync", "push"],
    args: ["workspace", "source_path"],
    hostPaths: ["source_path"],
    examples: [
      "pyro sync push fix .",
      "pyro sync push fix . --delete --json",
      "pyro sync push fix ../fixtures --dest test/fixtures",
      "pyro sync push fix . --include-ignored .env --force"
    ]
  },
  mcp: {
    tool: "workspace_sync_push",
    profiles: ["core", "full"],
    title: "Copy host changes in",
    description: "Copy later changes of the user's project in; the diff leaves them out",
    arguments: {
      workspace: {},
      source_path: { hostPath: "read", needed: false, description: "Instead of the project" },
      dest: { visibleIn: ["full"], description: "Directory of /workspace to copy to" },
      include_ignored: { visibleIn: ["full"], description: "Ignored files to copy, too: globs" },
      delete: { description: "Also remove what is gone" },
      force: { description: "Overwrite changes" }
    },
    omits: [
      "bytes",
      "equal_count",
      "ignored",
      "ignored_count",
      "missing_on_host",
      "removed_count",
      "skipped_count",
      "written_count"
    ]
  },
  states: at(withVm),
  on: "running",
  errors: ["FileRefused", "SeedRejected"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: SyncPushPayload,
  result: SyncPushed
})
