import { Schema } from "effect"
import type { ErrorTag } from "../../contract/errors/errors.ts"
import { modeNames } from "../../contract/rows/modes.ts"
import { type CliSurface, lazy, type PureSchema } from "../../contract/rows/operation.ts"
import { type Operation, operations } from "../../contract/rows/operations.ts"
import { serveGroups } from "../../contract/rows/option-groups.ts"
import { secretFlags, secretsField } from "../../contract/rows/secret-fields.ts"
import { secretCommandsField, secretHttpField } from "../../contract/rows/secret-fields.ts"
import { GitHistory, gitHistoryText } from "../../contract/rows/workspace-field.ts"
import { WorkspaceUser } from "../../contract/rows/workspace-field.ts"
import { between, defaulted, ignoredGlobs, list, optional, text } from "../../contract/text/fields.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { agentCommand } from "./agent.ts"
import { contextCommands } from "./context.ts"
import { codeCommand } from "./editor.ts"
import { flag } from "./flag.ts"
import { hostCommands } from "./host.ts"
import { projectCommands } from "./project.ts"
import { serveCommands } from "./serve.ts"

const CpPayload = lazy(() =>
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

/** An import or an export, in the form that people know from docker. It becomes one of these operations. */
export const cpCommand = {
  name: "workspace.cp",
  summary: "Copy between the host and any path of a workspace",
  description:
    "A relative path of a workspace is relative to /workspace. Out of a workspace, `cp` is `export` with all its rules: it follows no " +
    "link of the host, and replaces files only with --overwrite. Into a workspace, it is `import`. Files keep the times of their last modification. A directory on stdout is a tar archive. " +
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

export const DemoPayload = lazy(() =>
  Schema.Struct({
    fast: flag("Do not wait for a reader between the steps. A pipe or a file never waits")
  })
)

/** Runs other command lines, so it is no operation. */
export const demoCommand = {
  name: "demo",
  summary: "Watch a tour of two minutes, in a workspace of its own",
  description:
    "Types the commands of a short story and says what they do: create, run, edit, snapshot, destroy, reset, fork, serve, diff. " +
    "Everything happens in a real microVM. The tour deletes its workspaces at the end, also after Ctrl-C.",
  cli: { path: ["demo"], args: [], exits: "own", examples: ["pyro demo", "pyro demo --fast"] } satisfies CliSurface,
  payload: DemoPayload
} as const

/** A row of the command line. */
export interface Command {
  readonly name: string
  readonly summary: string
  readonly description: string
  readonly cli: CliSurface
  /** Errors of a command that is no operation, beside those of the operations that it uses. */
  readonly errors?: ReadonlyArray<ErrorTag>
  readonly payload: () => PureSchema
}

const directories = (description: string) => defaulted(list(text("Directory")).annotate({ description }), () => [])

export const ServePayload = lazy(() =>
  snakeStruct({
    profile: defaulted(
      Schema.Literals(["vm-run", "workspace-core", "workspace-full"]).annotate({
        description:
          "Tools of the server. `vm-run`: one command in a new microVM. `workspace-core`: 16 tools to work in a workspace. `workspace-full`: all"
      }),
      () => "workspace-core" as const
    ),
    mode: optional(
      Schema.Literals(modeNames).annotate({
        description:
          "Kind of task, instead of a profile: few tools, instructions and a prompt for the task (docs/modes.md)"
      })
    ),
    projectPath: optional(
      text(
        "Directory to copy to new workspaces. Default: CLAUDE_PROJECT_DIR, else the git work tree of the working directory or that directory, " +
          "else the client's first root"
      )
    ),
    repoUrl: optional(text("Git URL to check out in new workspaces, instead of the directory")),
    repoRef: optional(text("Branch, tag or commit of the URL. Default: the remote's default branch")),
    allowRead: directories("Directory that a model may read from, beside the project"),
    allowExport: directories("Directory that a model may export to, beside the project"),
    includeIgnored: defaulted(
      ignoredGlobs(
        "Ignored files of the project to copy to every workspace: globs as in .gitignore, such as node_modules"
      ),
      () => []
    ),
    environment: optional(text("Default environment of new workspaces. Default: debian:12")),
    allowImages: defaulted(
      list(text("Image")).annotate({
        description:
          "Image that pyro pulls when a model names it: a full reference, in which * is any text, such as docker.io/library/*. Default: that of " +
          "--environment"
      }),
      () => []
    ),
    git: optional(GitHistory(`${gitHistoryText}. Default: shallow`)),
    workspaceUser: optional(
      WorkspaceUser().annotate({
        description: "Default owner of /workspace and user of commands. Default: root"
      })
    ),
    networkCeiling: optional(
      text(
        "Widest network that a model may grant to a workspace: `off`, `egress`, or `egress:HOST,HOST` with hosts and lists as --allow-host takes " +
          "them. `egress+published-ports`, also with hosts, lets a model publish ports as well. Default: off"
      )
    ),
    askExport: flag(
      "Let no model write to the host before you allow it: each export waits for `pyro answer` or the page of `pyro ui`"
    ),
    ...secretsField("Secrets of every workspace that the server makes. Default: none"),
    ...secretHttpField("Needs a network policy that allows HOST. Default: none"),
    ...secretCommandsField("Default: none"),
    allWorkspaces: flag("Let a model use workspaces of every project. Default: those of the bound project")
  })
)
export type ServePayload = ReturnType<typeof ServePayload>["Type"]

/** The MCP server. It is no operation, and runs until its client disconnects. */
export const mcpServe = {
  name: "mcp.serve",
  summary: "Serve workspaces to an agent over MCP, on stdin and stdout",
  description:
    "An agent host starts this server and speaks the Model Context Protocol. A model can name paths of the host only beneath the bound " +
    "project, with symbolic links resolved, and beneath --allow-read and --allow-export. At the end of the client, the server " +
    "ends the commands that calls wait for. Workspaces and other commands stay. docs/integrations.md has the configuration of each host.",
  cli: {
    path: ["mcp", "serve"],
    args: [],
    // A value on the command line would be in the configuration of the agent host.
    filled: ["secrets"],
    groups: serveGroups,
    extras: secretFlags,
    hostPaths: ["project_path", "allow_read", "allow_export"],
    flags: { allow_images: "allow-image" },
    exits: "own",
    examples: [
      "pyro mcp serve",
      "pyro mcp serve --profile vm-run --project-path .",
      "pyro mcp serve --mode repro-fix",
      "pyro mcp serve --repo-url https://github.com/owner/repo --repo-ref main",
      "pyro mcp serve --include-ignored node_modules --environment debian:12-build",
      "pyro mcp serve --allow-read ~/datasets --allow-export ~/results",
      "pyro mcp serve --network-ceiling egress:npm,pypi",
      "pyro mcp serve --ask-export",
      "pyro mcp serve --allow-image 'docker.io/library/*'",
      "claude mcp add pyro -- pyro mcp serve"
    ]
  },
  payload: ServePayload
} as const satisfies Command

/** Commands that are no operations. */
const ownCommands = [
  cpCommand,
  codeCommand,
  mcpServe,
  agentCommand,
  ...projectCommands,
  ...hostCommands,
  ...contextCommands,
  ...serveCommands,
  demoCommand
] as const
export type OwnCommand = typeof ownCommands[number]

/** Whether the row has a command of its own. */
const hasCommand = ({ cli }: { readonly cli: CliSurface }) => cli.shownBy === undefined

/** All commands, in the order of the table. */
export const commands: ReadonlyArray<Operation | OwnCommand> = [...operations.filter(hasCommand), ...ownCommands]

export const isOperation = (command: Operation | OwnCommand): command is Operation =>
  operations.some((one) => one === command)
