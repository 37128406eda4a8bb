import { Schema } from "effect"
import { between, defaulted, list, optional, text } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { snakeFields } from "../snake.ts"
import { workspaceField } from "./workspace-field.ts"

const flag = (description: string) => defaulted(Schema.Boolean.annotations({ description }), () => false)

/** A manner of the command line: programs have the status beside each name anyway. */
export const nameStatus = {
  "name-status": {
    _tag: "switch",
    sets: "name_only",
    description:
      "As --name-only, with a letter before each path: A(dded), D(eleted), M(odified), R(enamed), T(ype changed)"
  }
} as const

/** What differences are asked for, and how they are told; `whole` says what has all of a patch that is too long. */
export const differenceFields = (whole: string) => ({
  paths: defaulted(
    list(text("File or directory, relative to /workspace")).pipe(
      Schema.maxItems(1_000),
      Schema.annotations({ description: "Only what is at or beneath these paths; everything when left out" })
    ),
    () => []
  ),
  stat: flag("Leave out the patch: only counts of lines"),
  nameOnly: flag("Leave out the patch, the counts of lines and the digest"),
  includeIgnored: flag(
    "Also new files that ignore rules exclude: those of the baseline, and of ignore files made in the guest"
  ),
  verified: flag(
    "Compare the contents of all files instead of trusting inodes and times; slower, and still read by the guest's own kernel"
  ),
  maxBytes: defaulted(
    between({
      from: 0,
      // Three bytes for each that is not UTF-8, and the names of the files beside it.
      to: 4_194_304,
      unit: "bytes",
      description: `Most bytes of the patch in the result; its beginning stays. ${whole}`
    }),
    () => 1_048_576
  )
})

export const DiffPayload = lazy(() =>
  Schema.Struct(snakeFields({ workspace: workspaceField(), ...differenceFields("An export has the whole") }))
)
export type DiffPayload = ReturnType<typeof DiffPayload>["Type"]

const Mode = lazy(() => Schema.Literal("100644", "100755", "120000"))

export const DiffFile = lazy(() =>
  Schema.Struct(snakeFields({
    path: Schema.String.annotations({
      description: "Path after the change, relative to /workspace; in git's quoted form where it is no plain text"
    }),
    from: optional(Schema.String.annotations({ description: "Path before, of a renamed file" })),
    status: Schema.Literal("added", "modified", "deleted", "renamed", "type_changed").annotations({
      description: "What happened to it; `type_changed`: a file became a symbolic link, or a link a file"
    }),
    oldMode: optional(Mode().annotations({ description: "Mode before, as git has it; absent when it was not there" })),
    newMode: optional(Mode().annotations({ description: "Mode after, as git has it; absent when it is gone" })),
    binary: optional(Schema.Boolean.annotations({ description: "It is not text; absent with name_only" })),
    additions: optional(Schema.Int.annotations({ description: "Lines added; absent with name_only" })),
    deletions: optional(Schema.Int.annotations({ description: "Lines taken away; absent with name_only" })),
    size: Schema.Int.annotations({ description: "Bytes of the file; of a deleted one, before" }),
    tooLarge: optional(
      Schema.Boolean.annotations({
        description:
          "It was not looked into, and is not in the patch: it has more than 64 MiB, or all together more than 128 MiB"
      })
    )
  }))
)
export type DiffFile = ReturnType<typeof DiffFile>["Type"]

/** Differences as they are told; `digestFor` says what the digest of the patch is good for, `ignored` which files are left out. */
export const differenceResultFields = (
  { digestFor, ignored }: { readonly digestFor: string; readonly ignored: string }
) =>
  snakeFields({
    summary: Schema.Struct(snakeFields({
      files: Schema.Int,
      added: Schema.Int,
      modified: Schema.Int,
      deleted: Schema.Int,
      renamed: Schema.Int,
      typeChanged: Schema.Int,
      additions: optional(Schema.Int.annotations({ description: "Lines added in all; absent with name_only" })),
      deletions: optional(Schema.Int.annotations({ description: "Lines taken away in all; absent with name_only" }))
    })),
    files: Schema.Array(DiffFile()),
    unlisted: Schema.Int.annotations({
      description: "Files beyond those that are listed: the first 20000, as far as a result can carry them"
    }),
    ignoredCount: Schema.Int.annotations({ description: ignored }),
    tooLargeCount: optional(
      Schema.Int.annotations({
        description:
          "Files that are `too_large`, for which there is no whole patch and no digest; absent when there are none"
      })
    ),
    specialCount: Schema.Int.annotations({ description: "New sockets, FIFOs and devices, which no patch can hold" }),
    verified: Schema.Boolean.annotations({ description: "The contents of all files were compared" }),
    patch: optional(
      Schema.String.annotations({
        description: "The patch as git has it, or its beginning; absent with stat or name_only"
      })
    ),
    patchBytes: optional(Schema.Int.annotations({ description: "Bytes of the whole patch" })),
    truncated: optional(
      Schema.Boolean.annotations({ description: "The patch has more than max_bytes; its end is left out" })
    ),
    lossy: optional(Schema.Boolean.annotations({ description: "Bytes of the patch that are not UTF-8 were replaced" })),
    digest: optional(
      Schema.String.annotations({
        description: `SHA-256 of the whole patch, ${digestFor}; absent with name_only, or when a file is too large`
      })
    )
  })

export const DiffResult = lazy(() =>
  Schema.Struct(differenceResultFields({
    digestFor: "to export exactly this diff",
    ignored: "New files that ignore rules keep out: those of the baseline, and of ignore files made in the guest"
  }))
)
export type DiffResult = ReturnType<typeof DiffResult>["Type"]

export const workspaceDiff = unary({
  name: "workspace.diff",
  summary: "Show what changed in a workspace since it was made",
  description:
    "Compares /workspace with what the workspace started from and gives a summary, what happened to each file, and a patch " +
    "that `git apply` takes. Renames are found by content. Repositories' own .git folders are left out, and so is what the " +
    "ignore rules of the baseline exclude, unless asked for. A workspace that is stopped or has failed need not be started. " +
    "Nothing is changed.",
  cli: {
    path: ["workspace", "diff"],
    args: ["workspace"],
    flags: { paths: "path" },
    extras: nameStatus,
    exits: "own",
    examples: [
      "pyro workspace diff fix",
      "pyro workspace diff fix --stat",
      "pyro workspace diff fix --name-status",
      "pyro workspace diff fix --path src --path test --name-only"
    ]
  },
  mcp: {
    tool: "workspace_diff",
    profiles: ["core", "full"],
    title: "Show the diff",
    description: "Show what changed since the workspace was made, as files and a git patch",
    arguments: {
      workspace: {},
      paths: { description: "Only these files or directories" },
      stat: { description: "Without the patch" },
      include_ignored: { description: "Also what .gitignore excludes" },
      verified: { visibleIn: ["full"] },
      cursor: { own: "text", description: "next_cursor" }
    },
    essential: true
  },
  home: "daemon",
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: DiffPayload,
  result: DiffResult
})
