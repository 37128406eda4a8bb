import { Schema } from "effect"
import {
  boolean,
  defaulted,
  described,
  flag,
  hostPath,
  integer,
  list,
  must,
  optional,
  string,
  text
} from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { outputBytes } from "./command.ts"
import { copyLimits } from "./copy-limits.ts"
import { preserveTimes } from "./file-fields.ts"
import { Gathered, Notice, Told, warnings } from "./notice.ts"
import { type Folding, lazy, streaming } from "./operation.ts"
import { exportGroups } from "./option-groups.ts"
import { allowSecretsField } from "./secret-fields.ts"
import { at, readable } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

/** The fields of a request. A transfer to another machine has some of them. */
export const exportFields = lazy(() => ({
  workspace: workspaceField(),
  path: defaulted(
    text(
      "File or directory of the guest, relative to /workspace or absolute. With `patch`: limits the patch to this path"
    ),
    () => ""
  ),
  paths: defaulted(
    list(text("File or directory of the guest")).pipe(
      Schema.check(Schema.isMaxLength(1_000)),
      described(
        "More files or directories. Each of several paths keeps its path relative to /workspace. Default: none"
      )
    ),
    () => []
  ),
  exclude: defaulted(
    list(text("").pipe(must((glob) => glob !== "", "must not be empty")))
      .pipe(
        Schema.check(Schema.isMaxLength(1_000)),
        described("Globs of paths to leave out, as in .gitignore, relative to /workspace. Default: none")
      ),
    () => []
  ),
  output: optional(
    hostPath(
      "Path on the host: a file, a directory (files are added to an existing one), or an archive (a directory, if the name ends " +
        "with .tar, .tar.gz or .tgz). Missing directories above it are created, and a note names the first one. - is the standard output; a directory is then a tar archive. " +
        "With `apply`: a directory that exists. Default with `apply`: the directory that the workspace was seeded from"
    )
  ),
  patch: flag("Export the diff against the seed as a patch for git apply"),
  apply: flag(
    "Make the changes of the diff in the files of a directory. A file there that is neither as it was seeded nor as the workspace has it " +
      "refuses all of them"
  ),
  includeIgnored: flag("With `patch` or `apply`: include new files that ignore rules exclude, as `diff` does"),
  check: flag("With `apply`: write nothing, and show what would be changed or refused"),
  expect: optional(
    text("With `patch` or `apply`: fail unless the diff has this digest, from `workspace diff --json`")
  ),
  ask: flag(
    "Wait until the user allows the export, with `pyro answer` or on the page of `pyro ui`. Not for the standard output"
  ),
  overwrite: flag("Replace existing files and links. Directories are never replaced"),
  preserveTimes: preserveTimes("what is written, with `output`"),
  allowExecutableConfig: flag(
    "Allow files that tools of the host execute or load automatically, such as .vscode, .env, .envrc or .npmrc"
  ),
  ...allowSecretsField(),
  ...copyLimits("A larger export fails")
}))

export const ExportPayload = lazy(() => snakeStruct(exportFields()))
export type ExportPayload = ReturnType<typeof ExportPayload>["Type"]

/** Content that an export writes. */
export const exportKind = lazy(() =>
  Schema.Literals(["file", "directory", "archive", "patch", "changes"]).annotate({
    description: "Kind of the export. `changes` are those of the diff, in the files of a directory"
  })
)

/** One thing that an export wrote. */
export const ExportedEntry = lazy(() =>
  snakeStruct({
    path: string(
      "Path relative to the output; empty for the output itself. A path that is no plain text is in git's quoted form"
    ),
    type: Schema.Literals(["file", "directory", "symlink"]).annotate({ description: "Type of the entry" }),
    mode: string("Permission bits in octal, such as 0644"),
    size: integer("Size of a file in bytes; 0 for others"),
    sha256: optional(string("SHA-256 of a file's content. Absent for others")),
    target: optional(string("Target of a link. Absent for others")),
    replaced: optional(boolean("True if an existing file was replaced")),
    removed: optional(boolean("True if the file was removed. Absent for others")),
    executableConfig: optional(string("Reason why tools of the host execute this automatically. Absent for others"))
  })
)
export type ExportedEntry = ReturnType<typeof ExportedEntry>["Type"]

/** A path that was left out or needs attention, and the reason. */
export const Remark = lazy(() => Schema.Struct({ path: string("The path"), reason: string("Reason, one sentence") }))
export type ExportRemark = ReturnType<typeof Remark>["Type"]

const summaryFields = lazy(() => ({
  output: string("Path that was written on the host, or -"),
  kind: exportKind(),
  files: integer("Number of written files. A patch is one"),
  changedFiles: optional(integer("Number of changed files in the diff. Absent for files")),
  removedFiles: optional(integer("Number of removed files. Absent without `apply`")),
  equalFiles: optional(integer("Number of files that were there already as the diff has them. Absent without `apply`")),
  baselineMoved: optional(
    boolean(
      "True if the baseline has these changes now, so that the next diff begins after them. Absent for others than `apply`"
    )
  ),
  checked: optional(boolean("True with `check`: nothing was written. Absent for others")),
  directories: integer("Number of directories"),
  symlinks: integer("Number of links"),
  bytes: integer("Size of all files in bytes"),
  digest: optional(string("SHA-256 of the diff as a patch. Absent for files")),
  excludedCount: optional(integer("Number of paths that `exclude` left out. Absent without `exclude`")),
  skippedCount: integer("Number of paths that were left out. A directory counts as one"),
  skipped: Schema.Array(Remark()).annotate({ description: "The first 1000 of these paths" }),
  executableConfig: Schema.Array(Remark()).annotate({
    description:
      "The first 1000 paths that tools of the host execute automatically. Empty without `allow_executable_config`"
  }),
  warnings: warnings()
}))

export const ExportSummary = lazy(() => snakeStruct(summaryFields()))
export type ExportSummary = ReturnType<typeof ExportSummary>["Type"]

export const ExportEvent = lazy(() =>
  Schema.Union([
    Notice(),
    /** Content for the standard output, if the output is `-`. */
    Schema.TaggedStruct("Output", { bytes: outputBytes() }),
    /** Written entries in batches. They follow the last rename. */
    Schema.TaggedStruct("Written", {
      entries: Schema.Array(ExportedEntry()).annotate({ description: "Entries that were written" })
    }),
    Schema.TaggedStruct("Exported", { summary: ExportSummary().annotate({ description: "Totals of the export" }) })
  ])
)
export type ExportEvent = ReturnType<typeof ExportEvent>["Type"]

export const ExportResult = lazy(() =>
  snakeStruct({
    workspace: string("Workspace, as the request names it"),
    ...summaryFields(),
    notes: optional(
      Schema.Array(Told()).annotate({ description: "Facts, such as what is left out. Absent if none" })
    ),
    entries: Schema.Array(ExportedEntry()).annotate({ description: "Entries that were written, in order" })
  })
)
export type ExportResult = ReturnType<typeof ExportResult>["Type"]

const fold = (payload: ExportPayload): Folding<ExportEvent, ExportResult> => {
  const entries: Array<ExportedEntry> = []
  const notes = new Gathered("hint")
  const messages = new Gathered()
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
        case "Notice":
          notes.add(event)
          return messages.add(event)
        case "Output":
          return
      }
    },
    result: () =>
      summary === undefined
        ? undefined
        : {
          workspace: payload.workspace,
          ...summary,
          warnings: [...messages.all, ...summary.warnings],
          ...(notes.all.length === 0 ? {} : { notes: notes.all }),
          entries
        }
  }
}

export const workspaceExport = streaming({
  name: "workspace.export",
  summary: "Copy a file, a directory or the diff from a workspace to the host",
  description:
    "Writes the whole output with the missing directories above it, or nothing. Never follows symbolic links of the host, and replaces files only with --overwrite. " +
    "Leaves out and reports devices, FIFOs, sockets, names such as .git, and links that lead out of the export. Removes setuid, setgid and sticky bits " +
    "and write permission for others. Files that tools of the host execute automatically (editor and agent configuration, .env, .envrc, .npmrc) " +
    "need --allow-executable-config. --apply makes the changes of the diff in the directory that the workspace was seeded from, or in --output: " +
    "all of them or none, and none if a file there has changed since. Changes of the directory of the seed move the baseline: the next diff begins after them, and a reset keeps them. Prints a manifest. The workspace may be stopped or failed; a path outside of /workspace needs a running one.",
  cli: {
    path: ["workspace", "export"],
    args: ["workspace", "path", "paths"],
    neededWithout: { path: ["patch", "apply"], output: ["apply"] },
    groups: exportGroups,
    hostPaths: ["output"],
    examples: [
      "pyro export fix build/report.html --output report.html",
      "pyro export fix /workspace/dist --output ./dist --overwrite",
      "pyro export fix /var/log/app.log --output app.log",
      "pyro export fix . --exclude node_modules --output project.tar.gz",
      "pyro export fix src build/report.html --output ./out",
      "pyro export fix src --output - | tar -t",
      "pyro export fix --patch --expect \"$DIGEST\" --output fix.patch",
      "pyro export fix src --patch --output src.patch",
      "pyro export fix --patch --output - | git apply",
      "pyro export fix --apply --check",
      "pyro export fix --apply --expect \"$DIGEST\""
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
      path: { description: "In /workspace; limits a patch" },
      paths: { description: "More paths", visibleIn: ["full"] },
      exclude: { description: "Globs as in .gitignore", visibleIn: ["full"] },
      output: { name: "output_path", hostPath: "write", needed: true, description: "In the project" },
      patch: { description: "The diff, for git apply" },
      apply: { description: "Make the diff's changes in the files of output_path (.)", visibleIn: ["full"] },
      include_ignored: { description: "With patch or apply: also what .gitignore excludes", visibleIn: ["full"] },
      check: { description: "With apply: write nothing, show what it would do", visibleIn: ["full"] },
      expect: { description: "With patch: only if the diff has this digest" },
      overwrite: { description: "Replace files" }
    },
    omits: [
      "workspace",
      "kind",
      "mode",
      "sha256",
      "target",
      "replaced",
      "removed",
      "removed_files",
      "equal_files",
      "checked",
      "baseline_moved",
      "executable_config",
      "directories",
      "symlinks",
      "changed_files",
      "excluded_count",
      "notes"
    ]
  },
  states: at(readable, { except: "A path outside of /workspace is read from a running workspace only." }),
  on: "entry",
  errors: ["DiskDamaged", "ExportRefused", "FileRefused", "SeedRejected"],
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  payload: ExportPayload,
  event: ExportEvent,
  result: ExportResult,
  fold
})
