import { Schema } from "effect"
import { boolean, defaulted, described, flag, hostPath, integer, must, string } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { ofBooting } from "./call-errors.ts"
import { fileList, lineFields, listingFields, mode, sizeBytes, textFields } from "./file-fields.ts"
import { foldTo, Notice } from "./notice.ts"
import { lazy, streaming, unary } from "./operation.ts"
import { allowSecretsField } from "./secret-fields.ts"
import { at, atRest } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

/** Path of a file on a workspace's disk. */
const diskPath = (description: string) =>
  Schema.String.pipe(
    must((value) => value !== "" && !value.includes("\0"), "must be a path of the guest, without a NUL byte"),
    described(`${description}: a path of the guest, relative to /. A path that is not UTF-8 is in git's quoted form`)
  )

const shownPath = () => string("Absolute path in the guest")

export const DiskListPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    path: defaulted(diskPath("Directory to list"), () => "/"),
    ...listingFields()
  })
)
export type DiskListPayload = ReturnType<typeof DiskListPayload>["Type"]

const DiskList = lazy(() => fileList(shownPath()))

export const workspaceDiskList = unary({
  name: "workspace.disk.list",
  summary: "List files on the disk of a stopped workspace",
  description:
    "Lists any directory that the workspace's programs see: those of the environment, those that changed, and /workspace. A throw-away " +
    "microVM reads the disk, and runs no program of the workspace. The workspace must be stopped or failed. The disk does not change.",
  cli: {
    path: ["workspace", "disk", "list"],
    args: ["workspace", "path"],
    examples: ["pyro disk list fix /etc", "pyro disk list fix /var/log --recursive --depth 2"]
  },
  mcp: {
    tool: "workspace_disk_list",
    profiles: ["full"],
    title: "List files on a stopped workspace's disk",
    arguments: {
      workspace: {},
      path: { description: "Directory of the guest [/]" },
      recursive: { description: "Also beneath" },
      depth: { description: "At most so many levels" },
      cursor: { own: "text", description: "next_cursor" }
    },
    omits: ["mode", "modified_at"]
  },
  states: at(atRest),
  on: "entry",
  errors: [...ofBooting, "FileRefused"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: DiskListPayload,
  result: DiskList
})

export const DiskReadPayload = lazy(() =>
  snakeStruct({ workspace: workspaceField(), path: diskPath("File to read"), ...lineFields(), ...allowSecretsField() })
)
export type DiskReadPayload = ReturnType<typeof DiskReadPayload>["Type"]

export const DiskContent = lazy(() =>
  snakeStruct({ path: shownPath(), ...textFields(), sizeBytes: sizeBytes(), mode: mode() })
)
export type DiskContent = ReturnType<typeof DiskContent>["Type"]

export const workspaceDiskRead = unary({
  name: "workspace.disk.read",
  summary: "Read a file on the disk of a stopped workspace",
  description:
    "Reads a text file that the workspace's programs see, whole or by lines, up to --max-bytes. Follows symbolic links as these programs do. " +
    "For a binary file, shows the size and no content. The workspace must be stopped or failed. The disk does not change.",
  cli: {
    path: ["workspace", "disk", "read"],
    args: ["workspace", "path"],
    extras: { "content-only": { _tag: "switch", description: "Print the content alone, as without --json" } },
    examples: [
      "pyro disk read fix /etc/os-release",
      "pyro disk read fix /etc/passwd --start-line 2 --line-count 5"
    ]
  },
  mcp: {
    tool: "workspace_disk_read",
    profiles: ["full"],
    title: "Read a file on a stopped workspace's disk",
    arguments: {
      workspace: {},
      path: { description: "File of the guest, such as /etc/hosts" },
      start_line: { default: 1, description: "[1]" },
      line_count: { default: 400, description: "[400]" }
    },
    omits: ["mode", "line_count", "lossy"]
  },
  states: at(atRest),
  on: "entry",
  errors: [...ofBooting, "FileRefused"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: DiskReadPayload,
  result: DiskContent
})

const format = () => Schema.Literals(["raw", "qcow2"])

export const DiskExportPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    output: hostPath("File of the host to write"),
    format: defaulted(
      format().annotate({
        description:
          "Format of the file: `raw`, a sparse file with the disk's bytes, or `qcow2`, without a backing file"
      }),
      () => "raw" as const
    ),
    overwrite: flag("Replace an existing file or link"),
    ...allowSecretsField()
  })
)
export type DiskExportPayload = ReturnType<typeof DiskExportPayload>["Type"]

const exportFields = lazy(() => ({
  output: string("File that was written on the host"),
  format: format().annotate({ description: "Format of the file" }),
  virtualBytes: integer("Size of the disk in bytes, as the guest sees the disk"),
  writtenBytes: integer("Bytes written to the file, without its holes"),
  replaced: boolean("Whether an existing file was replaced")
}))

const DiskExportEvent = lazy(() => Schema.Union([Notice(), snakeTagged("Exported", exportFields())]))
type DiskExportEvent = ReturnType<typeof DiskExportEvent>["Type"]

const DiskExported = lazy(() =>
  snakeStruct({ workspace: string("Workspace, as the request names it"), ...exportFields() })
)
type DiskExported = ReturnType<typeof DiskExported>["Type"]

export const workspaceDiskExport = streaming({
  name: "workspace.disk.export",
  summary: "Export the disk of a stopped workspace as one image",
  description:
    "Writes the workspace's ext4 file system as one sparse file: `upper` has the changes of the root, `workspace` is /workspace. The environment " +
    "is not in the image. Leaves out temporary files (/tmp, /run) and the content of deleted files. Writes the whole file or nothing, and replaces a " +
    "file only with --overwrite. The guest chose each byte: open the image only in a virtual machine or with tools that you trust with hostile input. " +
    "The workspace must be stopped or failed. Its disk does not change.",
  cli: {
    path: ["workspace", "disk", "export"],
    args: ["workspace"],
    hostPaths: ["output"],
    examples: [
      "pyro disk export fix --output fix.img",
      "pyro disk export fix --format qcow2 --output fix.qcow2 --overwrite"
    ]
  },
  mcp: {
    tool: "workspace_disk_export",
    profiles: ["full"],
    title: "Export a stopped workspace's disk",
    arguments: {
      workspace: {},
      output: { name: "output_path", hostPath: "write", description: "In the project" },
      format: { description: "raw or qcow2 [raw]" },
      overwrite: { description: "Replace a file" }
    }
  },
  states: at(atRest),
  on: "entry",
  errors: [...ofBooting, "ExportRefused"],
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  payload: DiskExportPayload,
  event: DiskExportEvent,
  result: DiskExported,
  fold: ({ workspace }) => foldTo("Exported", ({ _tag, ...exported }) => ({ workspace, ...exported }))
})
