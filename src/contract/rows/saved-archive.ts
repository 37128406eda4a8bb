import { Schema } from "effect"
import { boolean, described, flag, hostPath, integer, matching, optional, string } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { ofWaking } from "./call-errors.ts"
import { foldTo, Notice } from "./notice.ts"
import { lazy, streaming } from "./operation.ts"
import { SaveEvent, SaveResult } from "./saved.ts"
import { allowSecretsField } from "./secret-fields.ts"
import { savedField, WorkspaceName } from "./workspace-field.ts"

const NO_TOOL = { missing: "a person prepares what outlives a workspace; a model forks" } as const

export const SavedExportPayload = lazy(() =>
  snakeStruct({
    name: savedField(),
    output: hostPath("File of the host to write"),
    diskOnly: optional(boolean("Export the files alone, which start on every host that has the environment")),
    overwrite: flag("Replace an existing file or link"),
    ...allowSecretsField()
  })
)
export type SavedExportPayload = ReturnType<typeof SavedExportPayload>["Type"]

const exportFields = lazy(() => ({
  output: string("File that was written on the host"),
  kind: Schema.Literals(["memory", "disk"]).annotate({ description: "`memory`: memory and disk. `disk`: files alone" }),
  bytes: integer("Size of the file in bytes"),
  sha256: string("SHA-256 that the file has of its content, for `expect` of an import"),
  replaced: boolean("Whether an existing file was replaced")
}))

const SavedExported = lazy(() => snakeStruct({ name: string("Name of the saved snapshot"), ...exportFields() }))
type SavedExported = ReturnType<typeof SavedExported>["Type"]

const SavedExportEvent = lazy(() => Schema.Union([Notice(), snakeTagged("Exported", exportFields())]))
export type SavedExportEvent = ReturnType<typeof SavedExportEvent>["Type"]

export const savedExport = streaming({
  name: "saved.export",
  summary: "Export a saved snapshot as one file, for another host",
  description:
    "Writes the whole file with the missing directories above it, or nothing. The file has its own SHA-256. Only you can read it (mode 0600). The file has no secrets, no output of commands and no " +
    "pushed files; services and shells in its memory go on as commands. The environment is not in the file: the other host needs the same one. Its memory " +
    "continues only on an equal host.",
  cli: {
    path: ["workspace", "saved", "export"],
    args: ["name"],
    hostPaths: ["output"],
    completes: { name: "saved" },
    examples: ["pyro saved export warm --output warm.pyro", "pyro saved export warm --disk-only --output warm.pyro"]
  },
  mcp: NO_TOOL,
  home: "daemon",
  errors: ["ExportRefused", "ImageDamaged", "SavedDamaged", "SavedNotFound"],
  annotations: { readOnly: false, destructive: true, idempotent: false, openWorld: false },
  payload: SavedExportPayload,
  event: SavedExportEvent,
  result: SavedExported,
  fold: ({ name }) => foldTo("Exported", ({ _tag, ...exported }) => ({ name, ...exported }))
})

export const SavedImportPayload = lazy(() =>
  snakeStruct({
    sourcePath: hostPath("File of `pyro saved export`"),
    name: optional(
      WorkspaceName().annotate({ description: "Name of the saved snapshot on this host. Default: the one in the file" })
    ),
    diskOnly: optional(boolean("Import the files alone, without a memory")),
    expect: optional(
      Schema.String.pipe(
        matching(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"),
        described("SHA-256 that the file must have")
      )
    )
  })
)
export type SavedImportPayload = ReturnType<typeof SavedImportPayload>["Type"]

export const savedImport = streaming({
  name: "saved.import",
  summary: "Import a saved snapshot from a file",
  description:
    "Reads the whole file, checks every number and the SHA-256, and gives the name last. Builds the environment if it is absent. A memory of a host that " +
    "differs is refused at once, with the differences; --disk-only imports the files. The file is untrusted, but its memory is input of the VMM: import one only " +
    "from people whom you trust.",
  cli: {
    path: ["workspace", "saved", "import"],
    args: ["source_path"],
    hostPaths: ["source_path"],
    examples: ["pyro saved import warm.pyro", "pyro saved import warm.pyro --name other --disk-only"]
  },
  mcp: NO_TOOL,
  home: "daemon",
  needsRoom: true,
  errors: [...ofWaking, "EnvironmentBuildFailed", "EnvironmentUnknown", "SavedExists", "SeedRejected"],
  annotations: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
  payload: SavedImportPayload,
  event: SaveEvent,
  result: SaveResult,
  fold: () => foldTo("Saved", ({ saved }, warnings) => ({ saved, warnings }))
})
