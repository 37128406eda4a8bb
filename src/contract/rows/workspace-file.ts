import { Schema } from "effect"
import { boolean, bytes, defaulted, described, flag, integer, matching, must, optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import {
  fileEntry,
  FileImage,
  fileList,
  fileUserField,
  lineFields,
  listingFields,
  mode,
  path,
  resultPath,
  sizeBytes,
  textFields,
  version
} from "./file-fields.ts"
import { always, lazy, unary } from "./operation.ts"
import { allowSecretsField } from "./secret-fields.ts"
import { at, readable, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

/** Maximum bytes of content in one request or result: a message has 16 MiB at most. */
const MAX_CONTENT_BYTES = 8_388_608

/** Maximum bytes of each text of an edit. */
const MAX_EDIT_BYTES = 1_048_576

/** Text that becomes bytes as UTF-8 without loss. */
const content = (description: string, maxBytes: number) =>
  Schema.String.pipe(
    // A lone surrogate has no UTF-8.
    must((value) => !/\p{Surrogate}/u.test(value), "must be well-formed Unicode"),
    must(
      (value) => value.length * 3 <= maxBytes || new TextEncoder().encode(value).length <= maxBytes,
      `must be at most ${maxBytes} bytes`
    ),
    described(description)
  )

const VERSION = "[0-9a-f]{16}"
const expectedVersion = (description: string, pattern: string, message: string) =>
  Schema.String.pipe(
    matching(new RegExp(`^(?:${pattern})$`), message),
    described(description)
  )

/** Permission bits of a written file. */
export const fileModeField = () =>
  optional(
    Schema.String.pipe(
      matching(/^(?!0+$)[0-7]{3,4}$/, "must be permission bits in octal, such as 755"),
      described("Permission bits in octal, such as 755. Default: those of the old file, 644 for a new file")
    )
  )

export const expectedWriteVersion = () =>
  optional(expectedVersion(
    "Write only if the file has this version, from a read; `absent`: only if there is no file. Default: any version",
    `absent|${VERSION}`,
    "must be a version from read, write or edit, or absent"
  ))

export const FileListPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    path: defaulted(path("Directory to list"), () => "."),
    ...listingFields(),
    ...fileUserField()
  })
)
export type FileListPayload = ReturnType<typeof FileListPayload>["Type"]

export const FileEntry = lazy(() => fileEntry(resultPath()))
export type FileEntry = ReturnType<typeof FileEntry>["Type"]

export const FileList = lazy(() => fileList(resultPath()))
export type FileList = ReturnType<typeof FileList>["Type"]

export const workspaceFileList = unary({
  name: "workspace.file.list",
  summary: "List files of a workspace",
  description:
    "Lists a directory of the guest with types, sizes and modes. If there are more entries than the limit, the result has those of the " +
    "upper levels. The workspace may be stopped or failed; the result then has what is on its disk.",
  cli: {
    path: ["workspace", "file", "list"],
    args: ["workspace", "path"],
    examples: ["pyro file list fix", "pyro file list fix src --recursive --depth 2", "pyro file list fix /etc"]
  },
  mcp: {
    tool: "workspace_file_list",
    profiles: ["core", "full"],
    title: "List files",
    arguments: {
      workspace: {},
      path: { description: "Directory [.]" },
      recursive: { description: "Also beneath" },
      depth: { description: "Most levels" },
      cursor: { own: "text", description: "next_cursor" }
    },
    omits: ["mode", "modified_at"]
  },
  states: at(readable),
  on: "reader",
  errors: ["FileRefused"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: FileListPayload,
  result: FileList
})

export const FileReadPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    path: path("File to read"),
    ...lineFields(),
    images: optional(boolean("Return an image: PNG, JPEG, GIF or WebP. Default: false")),
    ...allowSecretsField(),
    ...fileUserField()
  })
)
export type FileReadPayload = ReturnType<typeof FileReadPayload>["Type"]

export const FileContent = lazy(() =>
  snakeStruct({
    path: resultPath(),
    ...textFields(),
    image: optional(
      FileImage().annotate({ description: "The image, with `images`. Absent if the file is no image" })
    ),
    sizeBytes: sizeBytes(),
    mode: mode(),
    version: version()
  })
)
export type FileContent = ReturnType<typeof FileContent>["Type"]

export const workspaceFileRead = unary({
  name: "workspace.file.read",
  summary: "Read a file of a workspace, whole or by lines",
  description:
    "Reads a text file of the guest, whole or by lines, up to --max-bytes. Follows symbolic links as the guest's programs do. For a binary " +
    "file, shows the size and no content. If stdout is no terminal, and no option chooses lines, prints all of the file's bytes, of any size. " +
    "The version in the result guards a later write. The workspace may be stopped or failed.",
  cli: {
    path: ["workspace", "file", "read"],
    args: ["workspace", "path"],
    filled: ["images"],
    piped: "workspace.file.download",
    extras: {
      output: {
        _tag: "export",
        operation: "workspace.export",
        description: "Copy the file's bytes to this path of the host, or to the standard output (-)"
      },
      "content-only": { _tag: "switch", description: "Print the content alone, as without --json" },
      overwrite: { _tag: "switch", description: "With --output: replace an existing file" },
      "allow-executable-config": {
        _tag: "switch",
        description: "With --output: allow a file that tools of the host execute automatically, such as .envrc"
      }
    },
    examples: [
      "pyro file read fix src/main.py",
      "pyro file read fix src/main.py --start-line 100 --line-count 50",
      "pyro file read fix logo.png > copy.png",
      "pyro file read fix /etc/os-release"
    ]
  },
  mcp: {
    tool: "workspace_file_read",
    profiles: ["core", "full"],
    title: "Read a file",
    description: "Read lines of a text file, or see an image. `version` guards a later write or edit",
    arguments: {
      workspace: {},
      path: { description: "Absolute or in /workspace" },
      start_line: { default: 1, description: "[1]" },
      line_count: { default: 400, description: "[400]" }
    },
    omits: ["mode", "line_count", "lossy", "size_bytes", "image"],
    schemaless: true,
    essential: true
  },
  states: at(readable),
  on: "reader",
  errors: ["FileRefused"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: FileReadPayload,
  result: FileContent
})

export const FileWritePayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    path: path("File to write"),
    text: optional(content("Content as text (UTF-8), at most 8388608 bytes", MAX_CONTENT_BYTES)),
    content: optional(bytes("Content as bytes, at most 8388608", MAX_CONTENT_BYTES)),
    mode: fileModeField(),
    append: optional(boolean("Add the content to the end of the file. Readers see it as it comes. Default: false")),
    expectedVersion: expectedWriteVersion(),
    ...fileUserField()
  })
)
export type FileWritePayload = ReturnType<typeof FileWritePayload>["Type"]

export const FileWritten = lazy(() =>
  snakeStruct({
    path: resultPath(),
    created: boolean("Whether the file is new"),
    sizeBytes: sizeBytes(),
    mode: mode(),
    version: version()
  })
)
export type FileWritten = ReturnType<typeof FileWritten>["Type"]

export const workspaceFileWrite = unary({
  name: "workspace.file.write",
  summary: "Write a file of a workspace",
  description:
    "Creates or replaces the file and its parent directories. The write is atomic: readers see the old file or the new one, and a full " +
    "disk leaves the old file; only --append is not atomic. Symbolic links are followed as the guest's programs follow them. With " +
    "--expected-version, the write fails if the file has changed. Bytes of stdin or --from may be of any size: they are an upload.",
  cli: {
    path: ["workspace", "file", "write"],
    args: ["workspace", "path"],
    filled: ["content"],
    extras: {
      "text-file": {
        _tag: "file",
        fills: "text",
        as: "text",
        description: "File of the host with the text (UTF-8), or - for stdin"
      },
      from: {
        _tag: "input",
        operation: "workspace.file.upload",
        description: "File of the host with the bytes, or - for stdin. Default: stdin"
      }
    },
    oneOf: { fields: ["text", "content"], stdin: "from" },
    examples: [
      "pyro file write fix notes.md --text 'to do'",
      "git archive HEAD | pyro file write fix head.tar",
      "pyro file write fix run.sh --text-file run.sh --mode 755"
    ]
  },
  mcp: {
    tool: "workspace_file_write",
    profiles: ["core", "full"],
    title: "Write a file",
    description: "Create or replace a file, with its directories",
    arguments: {
      workspace: {},
      path: { description: "Absolute or in /workspace" },
      text: { description: "The whole content" },
      content: { visibleIn: ["full"] },
      mode: { description: "Such as 755" },
      expected_version: { description: "Only if it is this version; absent: only if there is none" }
    },
    omits: ["mode"]
  },
  states: at(withVm),
  on: "running",
  writes: always,
  errors: ["FileChanged", "FileRefused"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: FileWritePayload,
  result: FileWritten
})

export const FileEditPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    path: path("File to edit"),
    oldText: content("", MAX_EDIT_BYTES).pipe(
      must((text) => text !== "", "must not be empty"),
      described("Text to replace, exactly as in the file. The text must occur once, unless `replace_all`")
    ),
    newText: content("New text. An empty text deletes the old one", MAX_EDIT_BYTES),
    replaceAll: flag("Replace every occurrence"),
    expectedVersion: optional(expectedVersion(
      "Edit only if the file has this version, from a read. Default: any version",
      VERSION,
      "must be a version from read, write or edit"
    )),
    ...fileUserField()
  })
)
export type FileEditPayload = ReturnType<typeof FileEditPayload>["Type"]

export const FileEdited = lazy(() =>
  snakeStruct({
    path: resultPath(),
    replaced: integer("Number of replaced occurrences"),
    lines: Schema.Array(Schema.Int).annotate({
      description: "Numbers of the first 100 lines of the new file at which replacements begin"
    }),
    lineEndings: Schema.Literals(["kept", "crlf", "lf"]).annotate({
      description:
        "`crlf`, `lf`: the file's lines end so, and so do those of the new text, which had the other. `kept`: unchanged"
    }),
    sizeBytes: sizeBytes(),
    mode: mode(),
    version: version()
  })
)
export type FileEdited = ReturnType<typeof FileEdited>["Type"]

export const workspaceFileEdit = unary({
  name: "workspace.file.edit",
  summary: "Replace text in a file of a workspace",
  description:
    "Replaces the old text, byte by byte, with the new text. Fails if the old text occurs several times, unless --replace-all is given, " +
    "and shows the lines of the matches. Fails if the old text does not occur, and says what seems to differ, such as white space, if that is known. In a file whose lines all end in " +
    "CRLF, or all in LF, the line ends of both texts count as those of the file. The write is atomic and keeps the mode.",
  cli: {
    path: ["workspace", "file", "edit"],
    args: ["workspace", "path"],
    examples: [
      "pyro file edit fix src/main.py --old-text 'retries = 3' --new-text 'retries = 5'",
      "pyro file edit fix src/main.py --old-text foo --new-text bar --replace-all"
    ]
  },
  mcp: {
    tool: "workspace_file_edit",
    profiles: ["core", "full"],
    title: "Edit a file",
    description: "Replace text in a file",
    arguments: {
      workspace: {},
      path: { description: "Absolute or in /workspace" },
      old_text: { description: "Exact text, once unless replace_all" },
      new_text: {},
      replace_all: { description: "Every occurrence" },
      expected_version: { description: "Only if it is this version" }
    },
    omits: ["mode", "line_endings"],
    essential: true
  },
  states: at(withVm),
  on: "running",
  writes: always,
  errors: ["EditRejected", "FileChanged", "FileRefused"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: FileEditPayload,
  result: FileEdited
})
