import { Schema } from "effect"
import { boolean, flag, hostPath, integer, optional, string, text } from "../text/fields.ts"
import { snakeStruct, snakeTagged } from "../text/snake.ts"
import { ofBuilding } from "./call-errors.ts"
import { EnvironmentSummary, PullEvent } from "./environment.ts"
import { foldTo, Notice } from "./notice.ts"
import { lazy, streaming } from "./operation.ts"

const HOST_ADMINISTRATION = { missing: "host administration" } as const

export const EnvironmentExportPayload = lazy(() =>
  snakeStruct({
    environment: text("Name of an environment, as `pyro env list` prints it"),
    output: hostPath("File of the host to write"),
    overwrite: flag("Replace an existing file or link")
  })
)
export type EnvironmentExportPayload = ReturnType<typeof EnvironmentExportPayload>["Type"]

const exportFields = lazy(() => ({
  output: string("File that was written on the host"),
  bytes: integer("Size of the file in bytes"),
  imageDigest: string("Digest of the image's manifest in the file"),
  replaced: boolean("Whether an existing file was replaced")
}))

const EnvironmentExported = lazy(() =>
  snakeStruct({ environment: string("Name of the environment"), ...exportFields() })
)

export const EnvironmentExportEvent = lazy(() => Schema.Union([Notice(), snakeTagged("Exported", exportFields())]))
export type EnvironmentExportEvent = ReturnType<typeof EnvironmentExportEvent>["Type"]

export const environmentExport = streaming({
  name: "env.export",
  summary: "Export an environment as an image in one file",
  description:
    "Writes an OCI archive that Docker, Podman and skopeo read: the whole file or nothing, and only you can read it (mode 0600). A microVM makes it, so " +
    "the host reads no image. The image has one layer, with the files of the environment and without the modules of pyro's kernel. Its variables, user, " +
    "directory and command are those of the image that the environment was made of.",
  cli: {
    path: ["env", "export"],
    args: ["environment"],
    hostPaths: ["output"],
    examples: ["pyro env export app -o app.tar", "pyro env export debian:12 --output debian.tar --overwrite"]
  },
  mcp: HOST_ADMINISTRATION,
  home: "daemon",
  errors: [...ofBuilding, "ExportRefused"],
  annotations: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  payload: EnvironmentExportPayload,
  event: EnvironmentExportEvent,
  result: EnvironmentExported,
  fold: ({ environment }) => foldTo("Exported", ({ _tag, ...exported }) => ({ environment, ...exported }))
})

export const EnvironmentImportPayload = lazy(() =>
  snakeStruct({
    source: hostPath(
      "OCI archive or archive of `docker save`, or - for stdin. Also oci-archive:FILE, docker-archive:FILE, oci:DIRECTORY, each with :IMAGE if it has several, and docker-daemon:IMAGE"
    ),
    name: optional(text("Name of the new environment. Default: the file's name without its ending")),
    replace: flag("Give the name to the new environment if another environment of yours has the name")
  })
)
export type EnvironmentImportPayload = ReturnType<typeof EnvironmentImportPayload>["Type"]

export const environmentImport = streaming({
  name: "env.import",
  summary: "Import an image from a file as an environment",
  description:
    "A microVM without a network reads the archive, checks every digest and makes the environment, as `pyro env pull` does: the host reads nothing in it. " +
    "A failure leaves nothing. The same image has the same digest from a registry, an OCI archive and an OCI layout; the archive of `docker save` has " +
    "no manifest of a registry, and so a digest of its own.",
  cli: {
    path: ["env", "import"],
    args: ["source"],
    hostPaths: ["source"],
    imageSources: ["source"],
    input: "source",
    examples: [
      "pyro env import app.tar",
      "pyro env import docker-archive:images.tar:app:2 --name app2",
      "docker save app | pyro env import - --name app"
    ]
  },
  mcp: HOST_ADMINISTRATION,
  home: "daemon",
  needsRoom: true,
  errors: [...ofBuilding, "EnvironmentNameTaken"],
  annotations: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  payload: EnvironmentImportPayload,
  event: PullEvent,
  result: EnvironmentSummary,
  fold: () => foldTo("Ready", ({ environment }) => environment)
})
