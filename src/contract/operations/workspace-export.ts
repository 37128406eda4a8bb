import { Schema } from "effect"
import { between, defaulted, hostPath, list, optional, text } from "../fields.ts"
import { Notice } from "../notice.ts"
import { type Folding, lazy, streaming } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { workspaceField } from "./workspace-field.ts"

export const ExportPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    path: defaulted(
      text(
        "File or directory of the guest, relative to /workspace or absolute beneath it; with --patch, what the patch is of, else everything"
      ),
      () => ""
    ),
    paths: defaulted(
      list(text("File or directory of the guest")).pipe(
        Schema.maxItems(1_000),
        Schema.annotations({
          description: "Further files or directories: in the output each of several paths keeps its place of /workspace"
        })
      ),
      () => []
    ),
    exclude: defaulted(
      list(text("").pipe(Schema.filter((glob) => glob !== "", { message: () => "must not be empty" }))).pipe(
        Schema.maxItems(1_000),
        Schema.annotations({ description: "Leave out what matches: globs as in .gitignore, relative to /workspace" })
      ),
      () => []
    ),
    output: hostPath(
      "What it becomes on the host: a file, a directory (one that is there is added to), an archive (a directory to a name that ends " +
        "with .tar, .tar.gz or .tgz), or - for the standard output (a file, a directory as a tar archive, or --patch)"
    ),
    patch: defaulted(
      Schema.Boolean.annotations({ description: "Export the diff against the baseline as a patch for git apply" }),
      () => false
    ),
    expect: optional(
      text("Only with --patch: export exactly the diff of this digest, as `workspace diff --json` has it")
    ),
    overwrite: defaulted(
      Schema.Boolean.annotations({
        description: "Replace files and links that are there; never a directory, nor anything by a directory"
      }),
      () => false
    ),
    allowExecutableConfig: defaulted(
      Schema.Boolean.annotations({
        description:
          "Export also files that tools of the host execute by themselves, such as .vscode, .env, .envrc or .npmrc"
      }),
      () => false
    ),
    maxMib: defaulted(
      between({ from: 1, to: 16_777_216, unit: "MiB", description: "Most MiB of content; more is refused" }),
      () => 2048
    ),
    maxEntries: defaulted(
      between({
        from: 1,
        to: 1_000_000,
        unit: "entries",
        description: "Most files, directories and links; more is refused"
      }),
      () => 100_000
    )
  }))
)
export type ExportPayload = ReturnType<typeof ExportPayload>["Type"]

/** One thing that an export wrote. */
export const ExportedEntry = lazy(() =>
  Schema.Struct(snakeFields({
    path: Schema.String.annotations({
      description: "Relative to the output, empty for the output itself; quoted as git does where it is no plain text"
    }),
    type: Schema.Literal("file", "directory", "symlink"),
    mode: Schema.String.annotations({ description: "Permission bits, octal, such as 0644" }),
    size: Schema.Int.annotations({ description: "Bytes of a file's content" }),
    sha256: optional(Schema.String.annotations({ description: "Of a file's content" })),
    target: optional(Schema.String.annotations({ description: "Where a link points" })),
    replaced: optional(Schema.Boolean.annotations({ description: "Something was there, and is gone" })),
    executableConfig: optional(
      Schema.String.annotations({ description: "Why tools of the host execute this by themselves" })
    )
  }))
)
export type ExportedEntry = ReturnType<typeof ExportedEntry>["Type"]

/** A path and why it was treated otherwise. */
const Remark = lazy(() => Schema.Struct({ path: Schema.String, reason: Schema.String }))
export type ExportRemark = ReturnType<typeof Remark>["Type"]

const summaryFields = lazy(() => ({
  output: Schema.String.annotations({ description: "What was written on the host, or -" }),
  kind: Schema.Literal("file", "directory", "archive", "patch"),
  files: Schema.Int,
  directories: Schema.Int,
  symlinks: Schema.Int,
  bytes: Schema.Int.annotations({ description: "Content of all files" }),
  digest: optional(Schema.String.annotations({ description: "Of the diff that was exported" })),
  excludedCount: optional(Schema.Int.annotations({ description: "Paths that the globs of exclude left out" })),
  skippedCount: Schema.Int.annotations({ description: "Paths left out, what is beneath them not counted" }),
  skipped: Schema.Array(Remark()).annotations({ description: "The first 1000 paths left out, and why" }),
  executableConfig: Schema.Array(Remark()).annotations({
    description:
      "Paths that tools of the host execute by themselves, and why, the first 1000; empty unless that was allowed"
  }),
  warnings: Schema.Array(Schema.String)
}))

export const ExportSummary = lazy(() => Schema.Struct(snakeFields(summaryFields())))
export type ExportSummary = ReturnType<typeof ExportSummary>["Type"]

export const ExportEvent = lazy(() =>
  Schema.Union(
    Notice(),
    /** Content for the standard output: only when the output is `-`. */
    Schema.TaggedStruct("Output", {
      bytes: Schema.Uint8ArrayFromSelf.annotations({ jsonSchema: { type: "string", contentEncoding: "binary" } })
    }),
    /** What was written, some of it; all of them come after the last name was given. */
    Schema.TaggedStruct("Written", { entries: Schema.Array(ExportedEntry()) }),
    Schema.TaggedStruct("Exported", { summary: ExportSummary() })
  )
)
export type ExportEvent = ReturnType<typeof ExportEvent>["Type"]

export const ExportResult = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: Schema.String,
    ...summaryFields(),
    entries: Schema.Array(ExportedEntry()).annotations({ description: "Exactly what was written" })
  }))
)
export type ExportResult = ReturnType<typeof ExportResult>["Type"]

const fold = (payload: ExportPayload): Folding<ExportEvent, ExportResult> => {
  const entries: Array<ExportedEntry> = []
  let summary: ExportSummary | undefined
  return {
    add: (event) => {
      switch (event._tag) {
        case "Written":
          for (const entry of event.entries) entries.push(entry)
          return
        case "Exported":
          summary = event.summary
          return
        case "Output":
        case "Notice":
          return
      }
    },
    result: () => summary === undefined ? undefined : { workspace: payload.workspace, ...summary, entries }
  }
}

export const workspaceExport = streaming({
  name: "workspace.export",
  summary: "Copy a file, a directory or the diff from a workspace to the host",
  description:
    "Writes the output and nothing else: all of it or nothing, never through a symbolic link, and never over what is there " +
    "unless told. Devices, FIFOs, sockets, anything named .git, and links that lead out of what is exported are left out and " +
    "reported; setuid, setgid and sticky bits and write permission for others are dropped. Files that tools of the host " +
    "execute by themselves (editor and agent configuration, .env, .envrc, .npmrc and their like) are refused unless allowed. Answers " +
    "with a manifest of what was written. A workspace that is stopped or has failed need not be started.",
  cli: {
    path: ["workspace", "export"],
    args: ["workspace", "path", "paths"],
    neededWithout: { path: "patch" },
    hostPaths: ["output"],
    exits: "own",
    examples: [
      "pyro workspace export fix build/report.html --output report.html",
      "pyro workspace export fix /workspace/dist --output ./dist --overwrite",
      "pyro workspace export fix . --exclude node_modules --output project.tar.gz",
      "pyro workspace export fix src build/report.html --output ./out",
      "pyro workspace export fix src --output - | tar -t",
      "pyro workspace export fix --patch --expect \"$DIGEST\" --output fix.patch",
      "pyro workspace export fix src --patch --output src.patch",
      "pyro workspace export fix --patch --output - | git apply"
    ]
  },
  mcp: {
    tool: "workspace_export",
    profiles: ["core", "full"],
    title: "Export to the host",
    description:
      "Copy a file, a directory or the diff (patch: true) to the user's project: the only tool that writes there",
    arguments: {
      workspace: {},
      path: { description: "Relative to /workspace; limits a patch" },
      paths: { description: "More paths", visibleIn: ["full"] },
      exclude: { description: "Globs as in .gitignore", visibleIn: ["full"] },
      output: { name: "output_path", hostPath: "write", description: "In the project" },
      patch: { description: "Export the diff for git apply" },
      expect: { description: "With patch: only if the diff has this digest" },
      overwrite: { description: "Replace files" }
    },
    omits: [
      "kind",
      "mode",
      "sha256",
      "target",
      "replaced",
      "executable_config",
      "directories",
      "symlinks",
      "excluded_count"
    ]
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  payload: ExportPayload,
  event: ExportEvent,
  result: ExportResult,
  fold
})
