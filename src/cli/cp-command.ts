import { Schema } from "effect"
import { type CliSurface, lazy } from "../contract/rows/operation.ts"
import { between, defaulted, optional, text } from "../contract/text/fields.ts"
import { snakeStruct } from "../contract/text/snake.ts"

const flag = (description: string) => defaulted(Schema.Boolean.annotate({ description }), () => false)

export const CpPayload = lazy(() =>
  snakeStruct({
    source: text("WORKSPACE:PATH, or a file or directory of the host; - is stdin"),
    target: text("The same; - is stdout. A directory, and a path that ends with /, gets the copy under its own name"),
    recursive: flag("Accepted: a directory is always copied with everything in it"),
    overwrite: flag("Replace existing files of the host. Files of the workspace are always replaced"),
    allowExecutableConfig: flag(
      "Allow files that tools of the host execute or load automatically, such as .vscode, .env, .envrc or .npmrc"
    ),
    allowSecrets: flag("Allow content that has the value of a secret"),
    allowHome: flag("Allow a home directory, a directory that contains one, or / as the source"),
    maxMib: optional(
      between({ from: 1, to: 16_777_216, unit: "MiB", description: "Maximum content in MiB. Default: 2048" })
    ),
    maxEntries: optional(
      between({
        from: 1,
        to: 1_000_000,
        unit: "entries",
        description: "Maximum number of files, directories and links. Default: 100000"
      })
    )
  })
)

/** Two operations in the form that people know from docker: an import or an export, so it is none itself. */
export const cpCommand = {
  name: "workspace.cp",
  summary: "Copy between the host and any path of a workspace",
  description:
    "A relative path of a workspace is relative to /workspace. Out of a workspace, `cp` is `export` with all its rules: it follows no " +
    "link of the host, and replaces files only with --overwrite. Into a workspace, it is `import`. A directory on stdout is a tar archive. " +
    "Stdin is one file.",
  cli: {
    path: ["workspace", "cp"],
    args: ["source", "target"],
    exits: "own",
    examples: [
      "pyro cp app.conf fix:/etc/app.conf",
      "pyro cp -r fix:/tmp/report ./report",
      "pyro cp fix:build/app.js - | node -",
      "date | pyro cp - fix:/etc/stamp"
    ]
  } satisfies CliSurface,
  payload: CpPayload
} as const
