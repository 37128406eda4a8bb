import { Schema } from "effect"
import { defaulted, ignoredGlobs, optional, text } from "../contract/fields.ts"
import { type CliSurface, lazy, type PureSchema } from "../contract/operation.ts"
import { operations } from "../contract/operations.ts"
import { WorkspaceUser } from "../contract/operations/workspace-user.ts"
import { snakeFields } from "../contract/snake.ts"

/** What the command line needs to know of what can be typed. */
export interface Command {
  readonly name: string
  readonly summary: string
  readonly description: string
  readonly cli: CliSurface
  readonly payload: () => PureSchema
}

const directories = (description: string) =>
  defaulted(Schema.Array(text("Directory")).annotations({ description }), () => [])

export const ServePayload = lazy(() =>
  Schema.Struct(snakeFields({
    profile: defaulted(
      Schema.Literal("vm-run", "workspace-core", "workspace-full").annotations({
        description: "Which tools a model gets: one command in a fresh microVM; the 16 to work in a workspace; all"
      }),
      () => "workspace-core" as const
    ),
    projectPath: optional(
      text(
        "Directory that workspaces start with; when left out, CLAUDE_PROJECT_DIR, else the git work tree around the working directory"
      )
    ),
    repoUrl: optional(text("Git URL that workspaces start with a checkout of, instead of the directory")),
    repoRef: optional(text("Branch, tag or commit of it")),
    allowRead: directories("Directory that a model may name as a source, beside the project"),
    allowExport: directories("Directory that a model may name as a destination, beside the project"),
    includeIgnored: defaulted(
      ignoredGlobs(
        "Ignored files of the project that each workspace gets, too: globs as in .gitignore, such as node_modules"
      ),
      () => []
    ),
    environment: optional(text("Environment of workspaces for which a model names none. Default: debian:12")),
    workspaceUser: optional(
      WorkspaceUser().annotations({
        description:
          "Owner of /workspace, whom commands run as, in workspaces for which a model names none. Default: root"
      })
    ),
    allWorkspaces: defaulted(
      Schema.Boolean.annotations({
        description:
          "Let a model reach workspaces of other projects, too. It reaches those of the bound project otherwise"
      }),
      () => false
    )
  }))
)
export type ServePayload = ReturnType<typeof ServePayload>["Type"]

/** No operation: it is the way in for those who are no person, and lasts as long as they do. */
export const mcpServe: Command = {
  name: "mcp.serve",
  summary: "Serve workspaces to an agent: an MCP server on stdin and stdout",
  description:
    "An agent host starts this and speaks the Model Context Protocol with it. A model can name paths of the host only beneath the bound " +
    "project, symlinks resolved, and beneath what --allow-read and --allow-export add. When the client leaves, the server " +
    "ends the commands that its calls wait for; workspaces and commands that a call has handed back stay. docs/integrations.md has the configuration of each host.",
  cli: {
    path: ["mcp", "serve"],
    args: [],
    hostPaths: ["project_path", "allow_read", "allow_export"],
    exits: "own",
    examples: [
      "pyro mcp serve",
      "pyro mcp serve --profile vm-run --project-path .",
      "pyro mcp serve --repo-url https://github.com/owner/repo --repo-ref main",
      "pyro mcp serve --include-ignored node_modules --environment debian:12-build",
      "pyro mcp serve --allow-read ~/datasets --allow-export ~/results",
      "claude mcp add pyro -- pyro mcp serve"
    ]
  },
  payload: ServePayload
}

/** Everything that can be typed, in the order in which help shows it. */
export const commands: ReadonlyArray<Command> = [...operations, mcpServe]
