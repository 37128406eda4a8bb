import { Schema } from "effect"
import { bytes, defaulted, optional } from "../fields.ts"
import { lazy, unary } from "../operation.ts"
import { patchLimits } from "../patch-limits.ts"
import { snakeFields } from "../snake.ts"
import { workspaceField } from "./workspace-field.ts"

const tooLarge = `must be at most ${patchLimits.bytes} bytes`

const PatchText = lazy(() =>
  Schema.String.pipe(
    // A lone surrogate has no UTF-8.
    Schema.filter((value) => !/\p{Surrogate}/u.test(value), { message: () => "must be well-formed Unicode" }),
    Schema.filter(
      (value) => value.length * 3 <= patchLimits.bytes || new TextEncoder().encode(value).length <= patchLimits.bytes,
      {
        message: () => tooLarge
      }
    ),
    Schema.annotations({
      description: "Patch as text: what git diff --binary or diff -u print, or *** Begin Patch ... *** End Patch. " +
        "Paths are relative to /workspace, or absolute beneath it"
    })
  )
)

export const PatchApplyPayload = lazy(() =>
  Schema.Struct(snakeFields({
    workspace: workspaceField(),
    patch: optional(PatchText()),
    patchBytes: optional(bytes("Patch as bytes, for one that is not UTF-8", patchLimits.bytes)),
    check: defaulted(
      Schema.Boolean.annotations({ description: "Only tell whether it fits and what it would change" }),
      () => false
    )
  }))
)
export type PatchApplyPayload = ReturnType<typeof PatchApplyPayload>["Type"]

const path = (description: string) =>
  Schema.String.annotations({ description: `${description}; one that is not UTF-8 in git's quoted form` })

export const PatchedFile = lazy(() =>
  Schema.Struct(snakeFields({
    path: path("Path relative to /workspace"),
    change: Schema.Literal("added", "modified", "deleted", "renamed"),
    from: optional(path("Path before, of a renamed file"))
  }))
)
export type PatchedFile = ReturnType<typeof PatchedFile>["Type"]

export const PatchApplied = lazy(() =>
  Schema.Struct(snakeFields({
    applied: Schema.Boolean.annotations({ description: "False after a check: nothing was changed" }),
    filesChanged: Schema.Int.annotations({ description: "How many files and links it changes" }),
    files: Schema.Array(PatchedFile()).annotations({ description: "Those files, the first 1000 at most" }),
    notes: Schema.Array(
      Schema.Struct(snakeFields({
        path: path("File of the hunk"),
        hunk: Schema.Int.annotations({ description: "Which hunk of the file, from 1" }),
        offsetLines: Schema.Int.annotations({
          description: "Lines from where it said to where it fits; negative upwards"
        }),
        loose: Schema.Boolean.annotations({ description: "It fits only when white space is overlooked" })
      }))
    ).annotations({ description: "Hunks that fit elsewhere, or not to the byte, the first 100" })
  }))
)
export type PatchApplied = ReturnType<typeof PatchApplied>["Type"]

export const workspacePatchApply = unary({
  name: "workspace.patch.apply",
  summary: "Apply a patch to a workspace",
  description:
    "Applies a patch to /workspace, all of it or nothing: unified (git's with renames, modes, links and binary files, or that of diff -u) or " +
    "in the *** Begin Patch form. It is checked as a whole first; a hunk whose line numbers are wrong is applied where its lines are, as " +
    "long as that is one place. What does not fit is told hunk by hunk. Paths outside /workspace and in .git are refused.",
  cli: {
    path: ["workspace", "patch", "apply"],
    args: ["workspace"],
    filled: ["patch_bytes"],
    extras: {
      "patch-file": {
        _tag: "file",
        fills: "patch_bytes",
        as: "bytes",
        description: "File of the host, or - for stdin, that is the patch; stdin when nothing is given"
      }
    },
    oneOf: { fields: ["patch", "patch_bytes"], stdin: "patch-file" },
    exits: "own",
    examples: [
      "pyro workspace patch apply fix --patch-file change.patch",
      "git diff --binary | pyro workspace patch apply fix --patch-file - --check",
      "pyro workspace patch apply fix --patch \"$(cat change.patch)\""
    ]
  },
  mcp: {
    tool: "workspace_patch_apply",
    profiles: ["core", "full"],
    title: "Apply a patch",
    description: "Apply a patch, all of it or nothing: unified diff (wrong line numbers do no harm) or *** Begin Patch",
    arguments: {
      workspace: {},
      patch: { description: "Paths relative to /workspace" },
      patch_bytes: { visibleIn: ["full"] },
      check: { description: "Only tell whether it fits" }
    }
  },
  home: "daemon",
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  payload: PatchApplyPayload,
  result: PatchApplied
})
