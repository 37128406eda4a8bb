import { Schema } from "effect"
import { boolean, bytes, described, flag, integer, must, optional } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { gitPath } from "./file-fields.ts"
import { lazy, unary } from "./operation.ts"
import { at, withVm } from "./states.ts"
import { workspaceField } from "./workspace-field.ts"

/**
 * Limits of a patch. They hold for `export --patch` and for `patch apply`, so that every exported patch can be applied.
 */
export const patchLimits = {
  /** As base64 and with its frame, a patch must fit a message of 16 MiB. */
  bytes: 8 * 1024 * 1024,
  lines: 2_000_000,
  files: 100_000
} as const

const tooLarge = `must be at most ${patchLimits.bytes} bytes`

const PatchText = lazy(() =>
  Schema.String.pipe(
    // A lone surrogate has no UTF-8.
    must((value) => !/\p{Surrogate}/u.test(value), "must be well-formed Unicode"),
    must(
      (value) => value.length * 3 <= patchLimits.bytes || new TextEncoder().encode(value).length <= patchLimits.bytes,
      tooLarge
    ),
    described(
      "Patch as text: output of git diff --binary or diff -u, or *** Begin Patch ... *** End Patch. " +
        "Paths are relative to /workspace, or absolute beneath it"
    )
  )
)

export const PatchApplyPayload = lazy(() =>
  snakeStruct({
    workspace: workspaceField(),
    patch: optional(PatchText()),
    patchBytes: optional(bytes("Patch as bytes, for a patch that is not UTF-8", patchLimits.bytes)),
    check: flag("Only check whether the patch applies, and show the changes")
  })
)
export type PatchApplyPayload = ReturnType<typeof PatchApplyPayload>["Type"]

export const PatchedFile = lazy(() =>
  snakeStruct({
    path: gitPath("Path relative to /workspace"),
    change: Schema.Literals(["added", "modified", "deleted", "renamed"]).annotate({ description: "Kind of change" }),
    from: optional(gitPath("Path before the change, if the file was renamed")),
    lineEndings: optional(
      Schema.Literals(["crlf", "lf"]).annotate({
        description:
          "How all lines of the file end, if the patch has the other line ends. The file keeps its own, and a new file has those of its attribute `eol`"
      })
    )
  })
)
export type PatchedFile = ReturnType<typeof PatchedFile>["Type"]

export const PatchApplied = lazy(() =>
  snakeStruct({
    applied: boolean("Whether the patch was applied. False with `check`"),
    filesChanged: integer("Number of changed files and links"),
    files: Schema.Array(PatchedFile()).annotate({ description: "The first 1000 of these files" }),
    notes: Schema.Array(
      snakeStruct({
        path: gitPath("File of the hunk"),
        hunk: integer("Number of the hunk in the file, from 1"),
        offsetLines: integer("Lines between the stated and the real position; negative is upwards"),
        loose: boolean("True if the hunk fits only without regard to white space")
      })
    ).annotate({ description: "The first 100 hunks that fit at another line, or without regard to white space" })
  })
)
export type PatchApplied = ReturnType<typeof PatchApplied>["Type"]

export const workspacePatchApply = unary({
  name: "workspace.patch.apply",
  summary: "Apply a patch to a workspace",
  description:
    "Applies a whole patch to /workspace, or nothing: a unified diff (git's, with renames, modes, links and binary files, or that of diff -u) or " +
    "the *** Begin Patch form. A hunk with wrong line numbers is applied if its lines occur in one place only. A file whose lines all end in LF or " +
    "all in CRLF keeps them, also if the patch has the other. The error names each " +
    "hunk that does not fit. Paths outside /workspace and in .git are refused.",
  cli: {
    path: ["workspace", "patch", "apply"],
    args: ["workspace"],
    filled: ["patch_bytes"],
    extras: {
      "patch-file": {
        _tag: "file",
        fills: "patch_bytes",
        as: "bytes",
        description: "File of the host with the patch, or - for stdin. Default: stdin"
      }
    },
    oneOf: { fields: ["patch", "patch_bytes"], stdin: "patch-file" },
    examples: [
      "pyro patch apply fix --patch-file change.patch",
      "git diff --binary | pyro patch apply fix --patch-file - --check",
      "pyro patch apply fix --patch \"$(cat change.patch)\""
    ]
  },
  mcp: {
    tool: "workspace_patch_apply",
    profiles: ["core", "full"],
    title: "Apply a patch",
    description: "Apply a whole patch or nothing: unified diff (line numbers may be wrong) or *** Begin Patch",
    arguments: {
      workspace: {},
      patch: { description: "Paths in /workspace" },
      patch_bytes: { visibleIn: ["full"] },
      check: { description: "Only check whether it fits" }
    },
    omits: ["line_endings"]
  },
  states: at(withVm),
  on: "running",
  writes: ({ check }) => !check,
  errors: ["FileRefused", "PatchRejected"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: PatchApplyPayload,
  result: PatchApplied
})
