import { Schema } from "effect"
import { between, bytes, defaulted, optional } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { FileImage, mode, path, resultPath, sizeBytes, version } from "./file-fields.ts"
import { workspaceField } from "./workspace-field.ts"

/** Most bytes of content in one request or result: with its frame it has to fit a message of 16 MiB. */
const MAX_CONTENT_BYTES = 8_388_608

/** Most bytes of each text of an edit. */
const MAX_EDIT_BYTES = 1_048_576

/** Text that becomes bytes as UTF-8 without loss. */
const content = (description: string, maxBytes: number) =>
  Schema.String.pipe(
    // A lone surrogate has no UTF-8.
    Schema.filter((value) => !/\p{Surrogate}/u.test(value), { message: () => "must be well-formed Unicode" }),
    Schema.filter((value) => value.length * 3 <= maxBytes || new TextEncoder().encode(value).length <= maxBytes, {
      message: () => `must be at most ${maxBytes} bytes`
    }),
    Schema.annotations({ description })
  )

const VERSION = "[0-9a-f]{16}"
const expectedVersion = (description: string, pattern: string, message: string) =>
  Schema.String.pipe(
    Schema.pattern(new RegExp(`^(?:${pattern})$`), { message: () => message }),
    Schema.annotations({ description })
  )

export const FileListPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    path: defaulted(path("Directory to list"), () => "."),
    recursive: defaulted(
      Schema.Boolean.annotations({ description: "List what lies in its directories too" }),
      () => false
    ),
    depth: optional(between({
      from: 1,
      to: 1_024,
      unit: "levels",
      description: "List so many levels; 1 is the directory's own entries"
    })),
    limit: defaulted(
      between({
        from: 1,
        to: 10_000,
        unit: "entries",
        description: "Most entries listed; those of the upper levels stay"
      }),
      () => 1_000
    )
  }))
)
export type FileListPayload = ReturnType<typeof FileListPayload>["Type"]

export const FileEntry = lazy(() =>
  Schema.Struct(snakeFields({
    path: resultPath(),
    type: Schema.Literal("file", "directory", "symlink", "character", "block", "fifo", "socket"),
    sizeBytes: Schema.Int,
    mode: mode(),
    modifiedAt: optional(
      Schema.String.annotations({ description: "ISO 8601; missing for a time that no calendar has" })
    ),
    target: optional(Schema.String.annotations({ description: "What a symlink says" }))
  }))
)
export type FileEntry = ReturnType<typeof FileEntry>["Type"]

export const FileList = lazy(() =>
  Schema.Struct(snakeFields({
    path: resultPath(),
    entries: Schema.Array(FileEntry()).annotations({ description: "In the order of their paths' bytes" }),
    truncated: Schema.Boolean.annotations({ description: "There is more than the limit" }),
    total: optional(
      Schema.Int.annotations({ description: "Entries there are; missing when they were too many to count" })
    )
  }))
)
export type FileList = ReturnType<typeof FileList>["Type"]

export const workspaceFileList = unary({
  name: "workspace.file.list",
  summary: "List files of a workspace",
  description:
    "Lists a directory beneath /workspace with types, sizes and modes. Where there is more than the limit, entries of the " +
    "upper levels are kept and the result says so. A workspace that is stopped or has failed need not be started.",
  cli: {
    path: ["workspace", "file", "list"],
    args: ["workspace", "path"],
    exits: "own",
    examples: ["pyro workspace file list fix", "pyro workspace file list fix src --recursive --depth 2"]
  },
  mcp: {
    tool: "workspace_file_list",
    profiles: ["core", "full"],
    title: "List files",
    arguments: {
      workspace: {},
      path: { description: "Directory [.]" },
      recursive: { description: "Also beneath" },
      depth: { description: "At most so many levels" },
      cursor: { own: "text", description: "next_cursor" }
    },
    omits: ["mode", "modified_at"]
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: FileListPayload,
  result: FileList
})

/** Most bytes of text that one read returns. */
export const MAX_READ_BYTES = 4_194_304

export const FileReadPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    path: path("File to read"),
    startLine: defaulted(
      between({ from: 1, to: 1_000_000_000, unit: "", description: "First line to read" }),
      () => 1
    ),
    lineCount: optional(between({
      from: 1,
      to: 1_000_000_000,
      unit: "lines",
      description: "Lines to read; to the end when left out"
    })),
    maxBytes: defaulted(
      between({
        from: 1,
        to: MAX_READ_BYTES,
        unit: "bytes",
        description: "Most bytes of text returned; whole lines, unless the first alone is longer"
      }),
      () => 262_144
    ),
    images: optional(
      Schema.Boolean.annotations({
        description: "Give the content of an image: PNG, JPEG, GIF or WebP by its first bytes"
      })
    )
  }))
)
export type FileReadPayload = ReturnType<typeof FileReadPayload>["Type"]

export const FileContent = lazy(() =>
  Schema.Struct(snakeFields({
    path: resultPath(),
    text: optional(Schema.String.annotations({ description: "Missing for a binary file" })),
    binary: Schema.Boolean.annotations({ description: "It has a NUL byte near its beginning" }),
    lossy: Schema.Boolean.annotations({ description: "Bytes that are not UTF-8 were replaced by U+FFFD" }),
    truncated: Schema.Boolean.annotations({
      description: "There is more of what was asked for; `next_line` and `cut_line` say where"
    }),
    startLine: optional(Schema.Int.annotations({ description: "Number of the text's first line" })),
    lineCount: optional(Schema.Int.annotations({ description: "Lines in the text" })),
    cutLine: optional(
      Schema.Int.annotations({ description: "Line too long for the limit; the text is its beginning" })
    ),
    nextLine: optional(Schema.Int.annotations({ description: "Line to go on with; missing when none follows" })),
    totalLines: optional(
      Schema.Int.annotations({ description: "Lines in the file; missing when it is too long to count them" })
    ),
    image: optional(
      FileImage().annotations({ description: "The image that the file is, when images were asked for" })
    ),
    sizeBytes: sizeBytes(),
    mode: mode(),
    version: version()
  }))
)
export type FileContent = ReturnType<typeof FileContent>["Type"]

export const workspaceFileRead = unary({
  name: "workspace.file.read",
  summary: "Read a file of a workspace, whole or by lines",
  description:
    "Reads text beneath /workspace, whole or a range of lines, up to --max-bytes. A binary file is said to be one and its " +
    "size told, without content. The result has a version to expect in a later write. A workspace that is stopped or has failed need " +
    "not be started.",
  cli: {
    path: ["workspace", "file", "read"],
    args: ["workspace", "path"],
    filled: ["images"],
    extras: {
      output: {
        _tag: "export",
        operation: "workspace.export",
        description: "Copy the whole file, byte by byte, to this path of the host, or to the standard output (-)"
      },
      overwrite: { _tag: "switch", description: "With --output: replace the file that is there" },
      "allow-executable-config": {
        _tag: "switch",
        description: "With --output: also a file that tools of the host execute by themselves, such as .envrc"
      }
    },
    exits: "own",
    examples: [
      "pyro workspace file read fix src/main.py",
      "pyro workspace file read fix src/main.py --start-line 100 --line-count 50",
      "pyro workspace file read fix logo.png --output copy.png"
    ]
  },
  mcp: {
    tool: "workspace_file_read",
    profiles: ["core", "full"],
    title: "Read a file",
    description: "Read lines of a text file, or see an image. `version` guards a later write or edit",
    arguments: {
      workspace: {},
      path: { description: "Relative to /workspace" },
      start_line: { default: 1, description: "[1]" },
      line_count: { default: 400, description: "[400]" }
    },
    omits: ["mode", "line_count", "lossy", "size_bytes", "image"],
    schemaless: true,
    essential: true
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: FileReadPayload,
  result: FileContent
})

export const FileWritePayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    path: path("File to write"),
    text: optional(content("Content as text", MAX_CONTENT_BYTES)),
    content: optional(bytes("Content as bytes", MAX_CONTENT_BYTES)),
    mode: optional(
      Schema.String.pipe(
        Schema.pattern(/^(?!0+$)[0-7]{3,4}$/, { message: () => "must be permission bits in octal, such as 755" }),
        Schema.annotations({
          description: "Permission bits in octal, such as 755; those of the old file when left out, 644 for a new one"
        })
      )
    ),
    expectedVersion: optional(expectedVersion(
      "Write only if the file is still of this version, as a read told it; `absent`: only if there is none",
      `absent|${VERSION}`,
      "must be a version as read, write and edit tell it, or absent"
    ))
  }))
)
export type FileWritePayload = ReturnType<typeof FileWritePayload>["Type"]

export const FileWritten = lazy(() =>
  Schema.Struct(snakeFields({
    path: resultPath(),
    created: Schema.Boolean.annotations({ description: "There was no file before" }),
    sizeBytes: sizeBytes(),
    mode: mode(),
    version: version()
  }))
)
export type FileWritten = ReturnType<typeof FileWritten>["Type"]

export const workspaceFileWrite = unary({
  name: "workspace.file.write",
  summary: "Write a file of a workspace",
  description:
    "Replaces the file at once and as a whole, or makes it, with the directories above it. Nobody sees it half written, and a full " +
    "disk leaves the old one. A symlink is followed as long as it stays beneath /workspace. With --expected-version nothing is written " +
    "when somebody else has changed the file meanwhile.",
  cli: {
    path: ["workspace", "file", "write"],
    args: ["workspace", "path"],
    filled: ["content"],
    extras: {
      "text-file": {
        _tag: "file",
        fills: "text",
        as: "text",
        description: "File of the host, or - for stdin, whose text (UTF-8) it becomes"
      },
      from: {
        _tag: "file",
        fills: "content",
        as: "bytes",
        description: "File of the host, or - for stdin, whose bytes it becomes; stdin when nothing is given"
      }
    },
    oneOf: { fields: ["text", "content"], stdin: "from" },
    exits: "own",
    examples: [
      "pyro workspace file write fix notes.md --text 'to do'",
      "git archive HEAD | pyro workspace file write fix head.tar",
      "pyro workspace file write fix run.sh --text-file run.sh --mode 755"
    ]
  },
  mcp: {
    tool: "workspace_file_write",
    profiles: ["core", "full"],
    title: "Write a file",
    description: "Create or replace a file, with the directories above it",
    arguments: {
      workspace: {},
      path: { description: "Relative to /workspace" },
      text: { description: "The whole content" },
      content: { visibleIn: ["full"] },
      mode: { description: "Such as 755" },
      expected_version: { description: "Write only if it still is this version; absent: only if there is none" }
    },
    omits: ["mode"]
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: FileWritePayload,
  result: FileWritten
})

export const FileEditPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    path: path("File to edit"),
    oldText: content(
      "Text to replace, exactly as it stands in the file; unless all are replaced it must be there once",
      MAX_EDIT_BYTES
    ).pipe(Schema.filter((text) => text !== "", { message: () => "must not be empty" })),
    newText: content("Text to put in its place; empty deletes it", MAX_EDIT_BYTES),
    replaceAll: defaulted(
      Schema.Boolean.annotations({ description: "Replace every occurrence instead of the only one" }),
      () => false
    ),
    expectedVersion: optional(expectedVersion(
      "Edit only if the file is still of this version, as a read told it",
      VERSION,
      "must be a version as read, write and edit tell it"
    ))
  }))
)
export type FileEditPayload = ReturnType<typeof FileEditPayload>["Type"]

export const FileEdited = lazy(() =>
  Schema.Struct(snakeFields({
    path: resultPath(),
    replaced: Schema.Int.annotations({ description: "Occurrences replaced" }),
    lines: Schema.Array(Schema.Int).annotations({
      description: "Lines of the new file at which replacements begin, the first 100"
    }),
    lineEndings: Schema.Literal("kept", "crlf").annotations({
      description: "`crlf`: the file's lines end in CRLF, so those of old and new text were taken to do so too"
    }),
    sizeBytes: sizeBytes(),
    mode: mode(),
    version: version()
  }))
)
export type FileEdited = ReturnType<typeof FileEdited>["Type"]

export const workspaceFileEdit = unary({
  name: "workspace.file.edit",
  summary: "Replace text in a file of a workspace",
  description:
    "Searches the file for the old text, byte by byte, and puts the new text in its place. Text that is there several times is refused " +
    "with the lines of its matches, unless all are to be replaced; text that is not there with what comes closest. In a file whose lines " +
    "all end in CRLF, line ends of old and new text match as CRLF. The mode stays; the file is replaced at once.",
  cli: {
    path: ["workspace", "file", "edit"],
    args: ["workspace", "path"],
    exits: "own",
    examples: [
      "pyro workspace file edit fix src/main.py --old-text 'retries = 3' --new-text 'retries = 5'",
      "pyro workspace file edit fix src/main.py --old-text foo --new-text bar --replace-all"
    ]
  },
  mcp: {
    tool: "workspace_file_edit",
    profiles: ["core", "full"],
    title: "Edit a file",
    description: "Replace text in a file",
    arguments: {
      workspace: {},
      path: { description: "Relative to /workspace" },
      old_text: { description: "Exactly as it stands in the file, once unless replace_all" },
      new_text: {},
      replace_all: { description: "Every occurrence" },
      expected_version: { description: "Edit only if it still is this version" }
    },
    omits: ["mode", "line_endings"],
    essential: true
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: FileEditPayload,
  result: FileEdited
})
