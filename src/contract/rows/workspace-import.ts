import { Schema } from "effect"
import { allowHome, boolean, bytes, hostPath, integer, optional, string, text } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { copyLimits } from "./copy-limits.ts"
import { gitPath, preserveTimes } from "./file-fields.ts"
import { Told } from "./notice.ts"
import { always, lazy, unary } from "./operation.ts"
import { at, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

/** Maximum bytes of a content that is part of the request. */
export const MAX_STDIN_BYTES = 8_388_608

export const ImportPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    sourcePath: hostPath("File or directory of the host to copy; - is stdin"),
    path: text(
      "Path in the guest, absolute or relative to /workspace. A directory, and a path that ends with /, gets the copy under its own name"
    ),
    content: optional(bytes("Content of the file, at most 8388608 bytes, if `source_path` is -", MAX_STDIN_BYTES)),
    unnamed: optional(boolean("The name of the source does not count: a directory is refused as the target")),
    preserveTimes: preserveTimes("the copies in the guest"),
    allowHome: allowHome(),
    ...copyLimits("A larger copy is refused")
  })
)
export type ImportPayload = ReturnType<typeof ImportPayload>["Type"]

export const Imported = lazy(() =>
  snakeStruct({
    path: gitPath("Path of the copy in the guest"),
    kind: Schema.Literals(["file", "directory"]).annotate({ description: "Kind of the copy" }),
    files: integer("Number of files that were written"),
    symlinks: integer("Number of links that were made"),
    bytes: integer("Bytes that were written"),
    skippedCount: integer("Number of paths that were not copied"),
    skipped: Schema.Array(Schema.Struct({
      path: gitPath("Path relative to the source"),
      reason: string("Reason, one sentence")
    })).annotate({ description: "The first 1000 of these paths" }),
    warnings: optional(
      Schema.Array(Told()).annotate({ description: "Warnings. Absent if there are none" })
    )
  })
)
export type Imported = ReturnType<typeof Imported>["Type"]

export const workspaceImport = unary({
  name: "workspace.import",
  summary: "Copy a file or a directory of the host to any path of a workspace",
  description:
    "Copies to every path of the guest, and replaces files there. Each file is written whole or not at all; a failure in the middle of a " +
    "directory leaves the files before it. Missing directories are created. Links of a directory are copied as links. Entries named .git, " +
    "devices, sockets, FIFOs and empty directories are left out. A diff shows copies beneath /workspace as changes of the workspace; " +
    "`sync push` copies without that.",
  cli: {
    path: ["workspace", "import"],
    args: ["workspace", "source_path", "path"],
    filled: ["content", "unnamed"],
    hostPaths: ["source_path"],
    examples: [
      "pyro import fix app.conf /etc/app.conf",
      "pyro import fix fixtures test/",
      "date | pyro import fix - /etc/stamp"
    ]
  },
  mcp: { missing: "workspace_file_write and workspace_sync_push copy to /workspace, and a command copies from there" },
  states: at(withVm),
  on: "running",
  writes: always,
  errors: ["FileRefused", "SeedRejected"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: ImportPayload,
  result: Imported
})
