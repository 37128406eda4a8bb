import { type CliSurface, lazy } from "../../contract/rows/operation.ts"
import { hostPath, optional } from "../../contract/text/fields.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { flag } from "./flag.ts"

// These commands combine operations, ask the person, and read the person's secrets. They are no operations, so that no model can call them.

const directory = optional(
  hostPath(
    "Directory of the project. Default: the nearest one with a pyro.toml, from the working directory to the root of its git work tree"
  )
)

export const UpPayload = lazy(() =>
  snakeStruct({
    directory,
    recreate: flag("Delete the project's workspace and make it again. Files that were not exported are lost"),
    dryRun: flag("Show what the file asks for and what would change, and change nothing"),
    yes: flag("Grant what the file asks for: network, ports of this host, values of secrets, ignored files and images")
  })
)

export const DownPayload = lazy(() =>
  snakeStruct({
    directory,
    delete: flag("Delete the workspace. Files that were not exported are lost")
  })
)

const surface = { args: ["directory"], hostPaths: ["directory"], exits: "own" } as const

const upCommand = {
  name: "workspace.up",
  summary: "Make or resume the workspace of a project, as its pyro.toml says",
  description:
    "Reads pyro.toml, or \"pyro\" in package.json, and brings the project's workspace there: makes or starts it, runs the setup commands once, and " +
    "starts services and ports. A running workspace stays, and gets what has changed in the file. The first use of a file that asks for network, " +
    "ports, secrets, ignored files or an image asks you. docs/project.md lists the keys.",
  cli: {
    ...surface,
    path: ["workspace", "up"],
    examples: ["pyro up", "pyro up --yes", "pyro up --dry-run", "pyro up --recreate"]
  } satisfies CliSurface,
  errors: [
    "ProjectFileInvalid",
    "ProjectFileMissing",
    "ProjectNotAccepted",
    "ProjectSecretMissing",
    "ProjectSetupFailed"
  ],
  payload: UpPayload
} as const

const downCommand = {
  name: "workspace.down",
  summary: "Pause or delete the workspace of a project",
  description:
    "Pauses the workspace that `pyro up` made: its memory goes to the disk, and `pyro up` brings back the same processes. With --delete, the " +
    "workspace is deleted.",
  cli: { ...surface, path: ["workspace", "down"], examples: ["pyro down", "pyro down --delete"] } satisfies CliSurface,
  errors: ["ProjectFileInvalid", "ProjectFileMissing"],
  payload: DownPayload
} as const

export const projectCommands = [upCommand, downCommand] as const
export type ProjectCommand = typeof projectCommands[number]
