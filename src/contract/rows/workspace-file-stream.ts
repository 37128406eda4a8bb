import { Schema } from "effect"
import { between, boolean, defaulted, flag, integer, optional } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { outputBytes } from "./command.ts"
import { fileUserField, mode, path, resultPath, sizeBytes, version } from "./file-fields.ts"
import { type Folding, lazy, streaming } from "./operation.ts"
import { allowSecretsField } from "./secret-fields.ts"
import { at, readable, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"
import { expectedWriteVersion, fileModeField } from "./workspace-file.ts"

const MOST = Number.MAX_SAFE_INTEGER

export const FileDownloadPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    path: path("File to read"),
    offset: defaulted(between({ from: 0, to: MOST, unit: "bytes", description: "First byte to read" }), () => 0),
    length: optional(
      between({ from: 1, to: MOST, unit: "bytes", description: "Maximum number of bytes to read. Default: to the end" })
    ),
    ...allowSecretsField(),
    ...fileUserField()
  })
)
export type FileDownloadPayload = ReturnType<typeof FileDownloadPayload>["Type"]

const opened = lazy(() => ({ path: resultPath(), sizeBytes: sizeBytes(), mode: mode(), version: version() }))
const ended = lazy(() => ({
  bytes: integer("Number of bytes that were read. The end is at most that of the file when it was opened"),
  changed: boolean("Whether the file changed, or went, while it was read: the bytes may be of no single state of it")
}))

export const FileDownloadEvent = lazy(() =>
  Schema.Union([
    snakeTagged("Opened", opened()),
    Schema.TaggedStruct("Output", { bytes: outputBytes() }),
    snakeTagged("Ended", ended())
  ])
)
export type FileDownloadEvent = ReturnType<typeof FileDownloadEvent>["Type"]

const FileDownloaded = lazy(() => snakeStruct({ ...opened(), ...ended() }))
type FileDownloaded = ReturnType<typeof FileDownloaded>["Type"]

const foldDownload = (): Folding<FileDownloadEvent, FileDownloaded> => {
  let file: Omit<FileDownloaded, "bytes" | "changed"> | undefined
  let result: FileDownloaded | undefined
  return {
    add: (event) => {
      if (event._tag === "Opened") {
        const { _tag, ...state } = event
        file = state
      } else if (event._tag === "Ended" && file !== undefined) {
        result = { ...file, bytes: event.bytes, changed: event.changed }
      }
    },
    result: () => result
  }
}

export const workspaceFileDownload = streaming({
  name: "workspace.file.download",
  summary: "Read the bytes of a file of a workspace, of any size",
  description:
    "Gives the file's bytes as they are, all or a range, as fast as they are taken. `pyro file read` does the same if its output is no " +
    "terminal. A file that grows meanwhile ends where it ended when it was opened. FIFOs, devices and sockets are refused. Fails if the " +
    "guest gives no byte for a minute. The workspace may be stopped or failed.",
  cli: {
    path: ["workspace", "file", "download"],
    args: ["workspace", "path"],
    examples: [
      "pyro file download fix /var/log/app.log > app.log",
      "pyro file download fix /var/log/app.log --offset 1048576 --length 4096"
    ]
  },
  mcp: { missing: "workspace_file_read and workspace_export have what a model needs" },
  states: at(readable),
  on: "entry",
  errors: ["DiskDamaged", "FileRefused", "SeedRejected"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: FileDownloadPayload,
  event: FileDownloadEvent,
  result: FileDownloaded,
  fold: foldDownload
})

export const FileUploadPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    path: path("File to write"),
    mode: fileModeField(),
    append: flag(
      "Add the bytes to the end of the file. Readers see them as they come, also those of an upload that fails"
    ),
    expectedVersion: expectedWriteVersion(),
    ...fileUserField()
  })
)
export type FileUploadPayload = ReturnType<typeof FileUploadPayload>["Type"]

const uploaded = lazy(() => ({
  path: resultPath(),
  created: boolean("Whether the file is new"),
  sizeBytes: sizeBytes(),
  mode: mode(),
  version: version()
}))

export const FileUploadEvent = lazy(() => snakeTagged("Ended", uploaded()))
export type FileUploadEvent = ReturnType<typeof FileUploadEvent>["Type"]
const FileUploaded = lazy(() => snakeStruct(uploaded()))
type FileUploaded = ReturnType<typeof FileUploaded>["Type"]

export const workspaceFileUpload = streaming({
  name: "workspace.file.upload",
  summary: "Write a file of a workspace from a stream of any size",
  description:
    "Writes what the caller's input has, until its end, and makes the directories above the file. The file appears whole or not at all, as " +
    "with `pyro file write`, which does the same with stdin or --from. An interrupted upload leaves the old file. Only --append is not atomic.",
  cli: {
    path: ["workspace", "file", "upload"],
    args: ["workspace", "path"],
    extras: {
      from: {
        _tag: "input",
        operation: "workspace.file.upload",
        description: "File of the host with the bytes, or - for stdin. Default: stdin"
      }
    },
    oneOf: { fields: [], stdin: "from" },
    examples: [
      "pyro file upload fix logo.png --from logo.png",
      "tail -f app.log | pyro file upload fix /var/log/app.log --append"
    ]
  },
  mcp: { missing: "workspace_file_write and workspace_sync_push have what a model needs" },
  states: at(withVm),
  on: "entry",
  errors: ["FileChanged", "FileRefused"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: FileUploadPayload,
  event: FileUploadEvent,
  result: FileUploaded,
  fold: () => {
    let result: FileUploaded | undefined
    return {
      add: ({ _tag, ...file }) => {
        result = file
      },
      result: () => result
    }
  }
})
