import { Schema } from "effect"
import { boolean, flag, integer, optional, string, text } from "../text/fields.ts"
import { GIT_EXECUTABLE, GIT_FILE, GIT_LINK } from "../text/git-mode.ts"
import { snakeStruct } from "../text/snake.ts"
import { Notice } from "./notice.ts"
import { lazy, streaming, unary } from "./operation.ts"
import { at, readable } from "./states.ts"
import { exportFields, exportKind, Remark } from "./workspace-export.ts"
import { workspaceField } from "./workspace-field.ts"

/** Where an export goes that a client on another computer writes. The daemon knows no paths of that computer. */
export const CALLERS_COMPUTER = "the caller's computer"

const TransferPayload = lazy(() => {
  const {
    allowExecutableConfig,
    allowSecrets,
    apply,
    ask,
    check,
    exclude,
    expect,
    includeIgnored,
    maxEntries,
    maxMib,
    ...fields
  } = exportFields()
  const { overwrite, patch, path, paths, workspace } = fields
  return snakeStruct({
    workspace,
    path,
    paths,
    exclude,
    patch,
    apply,
    includeIgnored,
    check,
    expect,
    ask,
    overwrite,
    allowExecutableConfig,
    allowSecrets,
    maxMib,
    maxEntries,
    movesBaseline: flag(
      "Whether the changes are made in the directory that the workspace was seeded from, so that `transfer applied` may follow"
    )
  })
})
export type TransferPayload = ReturnType<typeof TransferPayload>["Type"]

const rawPath = (what: string) => Schema.Uint8Array.annotate({ description: what })

const ListedEntry = lazy(() =>
  snakeStruct({
    path: rawPath("Path relative to the exported one; empty for the exported path itself"),
    type: Schema.Literals(["file", "directory", "symlink"]).annotate({ description: "Type of the entry" }),
    mode: integer("Permission bits"),
    size: integer("Size of a file in bytes; 0 for others"),
    mtimeNs: optional(string("Time of a file's last modification, in ns since 1970. Absent for others")),
    target: optional(rawPath("Target of a link. Absent for others")),
    loses: Schema.Array(Schema.Literals(["setIds", "attributes"])).annotate({
      description: "Properties of the file that no export keeps"
    })
  })
)

const ChangedSide = lazy(() =>
  snakeStruct({
    mode: Schema.Literals([GIT_FILE, GIT_EXECUTABLE, GIT_LINK]).annotate({ description: "Mode as in git" }),
    size: integer("Size of the content in bytes")
  })
)

const TransferEvent = lazy(() =>
  Schema.Union([
    Notice(),
    /** Files and directories follow, in one or more lists, and then the content of each file. */
    snakeStruct({
      _tag: Schema.Literal("Tree"),
      top: rawPath("Path of the exported file or directory in the guest. Empty for several paths"),
      entryCount: integer("Number of entries"),
      excludedCount: integer("Number of paths that `exclude` left out"),
      skippedCount: integer("Number of other paths that were left out"),
      skipped: Schema.Array(Remark()).annotate({ description: "The first 1000 of these paths" })
    }),
    snakeStruct({
      _tag: Schema.Literal("Listed"),
      entries: Schema.Array(ListedEntry()).annotate({
        description: "Entries, the exported path first, parents before children"
      })
    }),
    /** A change of the diff. The contents before and after it follow, as far as there are any. */
    snakeStruct({
      _tag: Schema.Literal("Changed"),
      path: rawPath("Path after the change; of a deletion, the path before"),
      from: optional(rawPath("Old path of a rename. Absent for others")),
      before: optional(ChangedSide().annotate({ description: "The file before. Absent for a new file" })),
      after: optional(ChangedSide().annotate({ description: "The file after. Absent for a deletion" }))
    }),
    /** A part of the content of the next file. No part has more than a MiB. */
    snakeStruct({
      _tag: Schema.Literal("Output"),
      bytes: Schema.Uint8Array.annotate({ description: "Bytes" }),
      isLast: boolean("Whether the content ends here"),
      gone: optional(string("Reason why the file can no longer be read, and is left out. Absent for others"))
    }),
    /** Last. */
    snakeStruct({
      _tag: Schema.Literal("Sent"),
      kind: exportKind(),
      files: integer("Number of sent files. A patch is one"),
      changedFiles: optional(integer("Number of changed files in the diff. Absent for files")),
      bytes: integer("Bytes of the sent content"),
      digest: optional(string("SHA-256 of the diff as a patch. Absent for files")),
      converted: Schema.Array(rawPath("Path")).annotate({
        description: "Files in the diff that git converts, so that `git apply` may refuse the patch"
      }),
      transfer: optional(string("Id for `transfer applied`. Absent without `moves_baseline`"))
    })
  ])
)
export type TransferEvent = ReturnType<typeof TransferEvent>["Type"]
export type TransferEventOf<Tag extends TransferEvent["_tag"]> = Extract<TransferEvent, { readonly _tag: Tag }>

const TransferResult = lazy(() =>
  snakeStruct({
    files: integer("Number of sent files. A patch is one"),
    bytes: integer("Bytes of the sent content")
  })
)
type TransferResult = ReturnType<typeof TransferResult>["Type"]

const forClients = { missing: "a client on another computer writes an export by it: workspace_export" } as const

export const workspaceTransferRead = streaming({
  name: "workspace.transfer.read",
  summary: "Send what an export writes to a client on another computer",
  description:
    "Sends the files, or the changes of the diff, that `workspace export` would write, and writes nothing. The client judges and writes them. With --ask the user answers " +
    "before a file's content is sent. After changes that move the baseline, the call lasts until the client ends the call.",
  cli: { path: ["workspace", "transfer", "read"], shownBy: ["workspace", "export"], args: ["workspace"], examples: [] },
  mcp: forClients,
  states: at(readable, { except: "A path outside of /workspace is read from a running workspace only." }),
  on: "entry",
  errors: ["DiskDamaged", "ExportRefused", "FileRefused", "SeedRejected"],
  annotations: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  payload: TransferPayload,
  event: TransferEvent,
  result: TransferResult,
  fold: () => {
    let sent: TransferResult | undefined
    return {
      add: (event: TransferEvent) => {
        if (event._tag === "Sent") sent = { files: event.files, bytes: event.bytes }
      },
      result: () => sent
    }
  }
})

export const workspaceTransferApplied = unary({
  name: "workspace.transfer.applied",
  summary: "Move the baseline after a client on another computer has made the changes",
  description:
    "The baseline of the workspace then has the changes of a `transfer read` that still lasts, as after `workspace export --apply`. Nothing changes if the baseline has moved, or the workspace was reset, since they were read.",
  cli: {
    path: ["workspace", "transfer", "applied"],
    shownBy: ["workspace", "export"],
    args: ["workspace", "transfer"],
    examples: []
  },
  mcp: forClients,
  states: at(readable),
  on: "entry",
  errors: [],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: lazy(() =>
    snakeStruct({ workspace: workspaceField(), transfer: text("Id of the transfer, from `transfer read`") })
  ),
  result: lazy(() => snakeStruct({ baselineMoved: boolean("Whether the baseline has the changes now") }))
})
