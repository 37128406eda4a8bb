import { Schema } from "effect"
import { between, boolean, defaulted, described, flag, integer, list, optional, string, text } from "../text/fields.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK, GIT_MODE_TEXT } from "../text/git-mode.ts"
import { snakeStruct } from "../text/snake.ts"
import { ofBooting, ofFinding } from "./call-errors.ts"
import { lazy, unary } from "./operation.ts"
import { at, readable } from "./states.ts"
import { comparedField, workspaceField } from "./workspace-field.ts"

/** A switch of the command line only: JSON has the status of each file. */
const nameStatus = {
  "name-status": {
    _tag: "switch",
    sets: "name_only",
    description: "Print a letter before each path: A(dded), D(eleted), M(odified), R(enamed), T(ype changed); no patch"
  }
} as const

/** Options of a comparison. `whole` says how to get the rest of a long patch. */
const differenceFields = (whole: string) => ({
  paths: defaulted(
    list(text("File or directory, relative to /workspace")).pipe(
      Schema.check(Schema.isMaxLength(1_000)),
      described("Files and directories to compare. Default: all")
    ),
    () => []
  ),
  stat: flag("Leave out the patch: show counts of lines"),
  nameOnly: flag("Leave out the patch, the counts of lines and the digest"),
  includeIgnored: flag(
    "Include new files that ignore rules exclude: rules of the seed, and of ignore files made in the guest"
  ),
  verified: flag(
    "Compare the content of all files instead of inodes and times. Slower; the guest's kernel still reads the files"
  ),
  maxBytes: defaulted(
    between({
      from: 0,
      // Three bytes for each that is not UTF-8, and the names of the files beside it.
      to: 4_194_304,
      unit: "bytes",
      description: `Maximum bytes of the patch in the result, from its beginning. ${whole}`
    }),
    () => 1_048_576
  )
})

export const DiffPayload = lazy(() =>
  snakeStruct({ workspace: workspaceField(), ...differenceFields("An export writes the whole patch") })
)
export type DiffPayload = ReturnType<typeof DiffPayload>["Type"]

const Mode = lazy(() =>
  Schema.Literals([GIT_MODE_TEXT[GIT_FILE], GIT_MODE_TEXT[GIT_EXECUTABLE], GIT_MODE_TEXT[GIT_LINK]])
)

export const DiffFile = lazy(() =>
  snakeStruct({
    path: string("Path after the change, relative to /workspace. A path that is no plain text is in git's quoted form"),
    from: optional(string("Path before the change. Absent if the file was not renamed")),
    status: Schema.Literals(["added", "modified", "deleted", "renamed", "type_changed", "mounted"]).annotate({
      description:
        "Kind of change. `type_changed`: a file became a symbolic link, or the reverse. `mounted`: the guest mounted something over " +
        "the path, and the changes beneath are unknown"
    }),
    oldMode: optional(Mode().annotate({ description: "Git mode before the change. Absent for an added file" })),
    newMode: optional(Mode().annotate({ description: "Git mode after the change. Absent for a deleted file" })),
    binary: optional(boolean("Whether the file is not text. Absent with `name_only`")),
    additions: optional(integer("Lines added. Absent with `name_only`")),
    deletions: optional(integer("Lines removed. Absent with `name_only`")),
    size: integer("Size of the file in bytes; of a deleted file, before the change"),
    tooLarge: optional(
      boolean(
        "True if the file is not in the patch, because it has more than 64 MiB, or all files together have more than 128 MiB"
      )
    )
  })
)
export type DiffFile = ReturnType<typeof DiffFile>["Type"]

/** Result of a comparison. `digestFor`: use of the digest. `ignored`: description of the omitted files. */
const differenceResult = (
  { digestFor, ignored }: { readonly digestFor: string; readonly ignored: string }
) =>
  snakeStruct({
    summary: snakeStruct({
      files: integer("Number of changed files"),
      added: integer("Number of added files"),
      modified: integer("Number of modified files"),
      deleted: integer("Number of deleted files"),
      renamed: integer("Number of renamed files"),
      typeChanged: integer("Number of files whose type changed"),
      additions: optional(integer("Total lines added. Absent with `name_only`")),
      deletions: optional(integer("Total lines removed. Absent with `name_only`"))
    }).annotate({ description: "Counts of the changes" }),
    files: Schema.Array(DiffFile()).annotate({ description: "Changed files by path, at most 20000" }),
    unlisted: integer("Number of changed files that `files` leaves out"),
    ignoredCount: integer(ignored),
    defaultRules: optional(
      Schema.Array(Schema.String).annotate({
        description:
          "Patterns of pyro's default list that excluded some of these files, such as `node_modules/`: the seed has neither an ignore file " +
          "nor a repository above them. `.pnpm-store/` counts in each workspace. Absent if none did"
      })
    ),
    nestedCount: optional(
      integer(
        "Number of repositories, work trees and submodules that commands made in /workspace. Their new files are left out unless `paths` " +
          "names one, or with `include_ignored`. Absent if there are none"
      )
    ),
    nested: optional(
      Schema.Array(string("Path relative to /workspace")).annotate({
        description: "The first 20 of these directories. Absent if there are none"
      })
    ),
    tooLargeCount: optional(
      integer("Number of `too_large` files. The patch is then incomplete and has no digest. Absent if there are none")
    ),
    mountedCount: optional(
      integer("Number of `mounted` paths. The diff is then incomplete and has no digest. Absent if there are none")
    ),
    convertedCount: optional(
      integer(
        "Number of changed files that git converts by the attributes `ident`, `working-tree-encoding` or `filter`: `git apply` may refuse their " +
          "patch. Absent if there are none, and without a patch"
      )
    ),
    converted: optional(Schema.Array(Schema.String).annotate({ description: "The first 20 of these files" })),
    specialCount: integer("Number of new sockets, FIFOs and devices. A patch cannot contain them"),
    missingPaths: optional(
      Schema.Array(Schema.String).annotate({
        description: "Paths of the request that neither side has. Absent if there are none"
      })
    ),
    verified: boolean("Whether the content of all files was compared"),
    patch: optional(string("Patch in git's form, or its beginning. Absent with `stat` or `name_only`")),
    patchBytes: optional(integer("Size of the whole patch in bytes")),
    truncated: optional(boolean("Whether the patch is longer than `max_bytes` and its end is left out")),
    lossy: optional(boolean("Whether bytes of the patch that are not UTF-8 were replaced by U+FFFD")),
    digest: optional(
      string(
        `SHA-256 of the whole patch, ${digestFor}. Absent with \`name_only\`, if a file is too large, or if a path is mounted`
      )
    )
  })

export const DiffResult = lazy(() =>
  differenceResult({
    digestFor: "to export exactly this diff",
    ignored: "Number of new files that ignore rules exclude: rules of the seed, and of ignore files made in the guest"
  })
)
export type DiffResult = ReturnType<typeof DiffResult>["Type"]

export const workspaceDiff = unary({
  name: "workspace.diff",
  summary: "Show the changes of a workspace since create",
  description:
    "Compares /workspace with its seed and shows a summary, the changed files, and a patch for `git apply`. Renames are found by content. " +
    "The .git directories of repositories are left out. New files that ignore rules exclude, and those of repositories and work trees that " +
    "commands made in /workspace, are left out without --include-ignored. The " +
    "workspace may be stopped or failed. Nothing is changed.",
  cli: {
    path: ["workspace", "diff"],
    args: ["workspace"],
    argsOrFlags: ["paths"],
    flags: { paths: "path" },
    extras: nameStatus,
    examples: [
      "pyro diff fix",
      "pyro diff fix --stat",
      "pyro diff fix --name-status",
      "pyro diff fix src test --name-only"
    ]
  },
  mcp: {
    tool: "workspace_diff",
    profiles: ["core", "full"],
    title: "Show the diff",
    description: "Show what changed since the workspace was made, as files and a git patch",
    arguments: {
      workspace: {},
      paths: { description: "Only these" },
      stat: { description: "Without the patch" },
      include_ignored: { description: "Also what .gitignore excludes" },
      verified: { visibleIn: ["full"] },
      cursor: { own: "text", description: "next_cursor" }
    },
    essential: true
  },
  states: at(readable),
  on: "reader",
  errors: ["FileRefused"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: DiffPayload,
  result: DiffResult
})

export const ComparePayload = lazy(() =>
  snakeStruct({
    from: comparedField("Id or name of a workspace, or WORKSPACE@SNAPSHOT"),
    to: comparedField("Workspace or snapshot to compare with, in the same form"),
    ...differenceFields("For a longer patch, compare by paths")
  })
)
export type ComparePayload = ReturnType<typeof ComparePayload>["Type"]

const CompareResult = lazy(() =>
  differenceResult({
    digestFor: "which identifies it",
    ignored: "Number of new files that ignore rules exclude, equal or not"
  })
)

export const workspaceCompare = unary({
  name: "workspace.compare",
  summary: "Show the differences between two workspaces or snapshots",
  description:
    "Shows the changes that turn the first workspace's /workspace into the second's: a summary, the changed files, and a patch for " +
    "`git apply`. Each side is a workspace, running or not, or a snapshot. pyro reads a stopped side in a temporary microVM. The two sides " +
    "need no common seed. The .git directories of repositories are left out. New files that ignore rules exclude are left out without " +
    "--include-ignored. Nothing is changed.",
  cli: {
    path: ["workspace", "compare"],
    args: ["from", "to"],
    argsOrFlags: ["paths"],
    flags: { paths: "path" },
    extras: nameStatus,
    examples: [
      "pyro compare try-1 try-2",
      "pyro compare fix@green fix --stat",
      "pyro compare try-1 try-2 src | git apply"
    ]
  },
  mcp: {
    tool: "workspace_compare",
    profiles: ["full"],
    title: "Compare workspaces",
    description: "Show what makes one workspace another, as files and a git patch",
    arguments: {
      from: { description: "Workspace id or name, or NAME@SNAPSHOT" },
      to: { description: "The other one" },
      paths: { description: "Only these files or directories" },
      stat: { description: "Without the patch" },
      include_ignored: { description: "Also what .gitignore excludes" },
      verified: { description: "Trust no times" },
      cursor: { own: "text", description: "next_cursor" }
    }
  },
  states: at(readable, { except: "A snapshot can be compared in every state of its workspace." }),
  errors: [...ofBooting, ...ofFinding, "FileRefused", "SnapshotMismatch", "SnapshotNotFound"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: ComparePayload,
  result: CompareResult
})
