import { Schema } from "effect"
import { boolean, defaulted, described, integer, must, optional, string } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { fileUserField, path, resultPath } from "./file-fields.ts"
import { type Folding, lazy, streaming } from "./operation.ts"
import { at, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

export const FileWatchPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    path: defaulted(path("Directory or file to watch"), () => "."),
    recursive: optional(boolean("Watch subdirectories as well. Default: true, unless `depth` is 1")),
    depth: optional(
      Schema.Number.pipe(
        must((depth) => depth === 1, "must be 1; leave it out for all levels"),
        described("Number of levels to watch: 1 is the directory's own entries. Default: all")
      )
    ),
    ...fileUserField()
  })
)
export type FileWatchPayload = ReturnType<typeof FileWatchPayload>["Type"]

export const FileChange = lazy(() =>
  snakeStruct({
    change: Schema.Literals(["created", "modified", "removed", "renamed"]).annotate({
      description: "What happened. `created` is also a file that was moved here from elsewhere, or over another one"
    }),
    path: resultPath(),
    from: optional(string("Old path of a renamed file or directory. Absent for others")),
    directory: boolean("Whether it is a directory")
  })
)
export type FileChange = ReturnType<typeof FileChange>["Type"]

export const FileWatchEvent = lazy(() =>
  Schema.Union([
    snakeTagged("Watching", { path: resultPath() }),
    snakeTagged("Changed", {
      changes: Schema.Array(FileChange()).annotate({ description: "Changes of a moment, one for each path" })
    }),
    /** Changes are unknown: look at the tree again. */
    snakeTagged("Lost", { path: resultPath() }),
    /** The first directory of a tree that is not watched. */
    snakeTagged("Unwatched", { path: resultPath() }),
    snakeTagged("Ended", { path: resultPath() })
  ])
)
export type FileWatchEvent = ReturnType<typeof FileWatchEvent>["Type"]

const FileWatched = lazy(() =>
  snakeStruct({
    path: resultPath(),
    changes: integer("Number of changes"),
    losses: integer("How often changes were lost")
  })
)
type FileWatched = ReturnType<typeof FileWatched>["Type"]

const fold = (): Folding<FileWatchEvent, FileWatched> => {
  let changes = 0
  let losses = 0
  let ended: string | undefined
  return {
    add: (event) => {
      if (event._tag === "Changed") changes += event.changes.length
      if (event._tag === "Lost") losses++
      if (event._tag === "Ended") ended = event.path
    },
    result: () => ended === undefined ? undefined : { path: ended, changes, losses }
  }
}

export const workspaceFileWatch = streaming({
  name: "workspace.file.watch",
  summary: "Show changes of a directory or a file of a workspace as they happen",
  description:
    "Shows which files are created, modified, removed and renamed beneath a directory, or what happens to a file. The event Watching is the first: every " +
    "later change is shown. Changes of one moment are one event, with one change for each path. Watches up to 8192 directories, on the file system of the " +
    "first; Unwatched names the first that is not watched. After Lost, look at the tree again: there were more changes than the guest keeps. Ends when the " +
    "watched directory is gone, and fails when the workspace is paused, stopped or reset. --json prints one event a line.",
  cli: {
    path: ["workspace", "file", "watch"],
    args: ["workspace", "path"],
    examples: ["pyro file watch fix src", "pyro file watch fix /var/log/app.log --json"]
  },
  mcp: { missing: "a tool gives one answer; workspace_diff shows what changed" },
  states: at(withVm),
  on: "running",
  endsWithConnection: true,
  errors: ["FileRefused"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: FileWatchPayload,
  event: FileWatchEvent,
  result: FileWatched,
  fold
})
