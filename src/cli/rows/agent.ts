import { Schema } from "effect"
import { insideNames } from "../../contract/rows/agent-host.ts"
import { type CliSurface, lazy } from "../../contract/rows/operation.ts"
import { agentGroups } from "../../contract/rows/option-groups.ts"
import { GitHistory, gitHistoryText, WorkspaceName } from "../../contract/rows/workspace-field.ts"
import {
  allowHome,
  between,
  defaulted,
  hostPath,
  ignoredPaths,
  list,
  optional,
  strings,
  text,
  wordBounds
} from "../../contract/text/fields.ts"
import { snakeStruct } from "../../contract/text/snake.ts"
import { flag } from "./flag.ts"

// The command combines operations and reads the person's keys. It is no operation, so that no model and no program can call it.

export const AgentPayload = lazy(() =>
  snakeStruct({
    agent: Schema.Literals(insideNames).annotate({ description: `Agent: ${insideNames.join(", ")}` }),
    args: defaulted(
      list(text("Argument of the agent"), wordBounds).annotate({ description: "Arguments of the agent" }),
      () => []
    ),
    workspace: optional(
      text("Id or name of a workspace that `pyro agent` made before. Default: a new workspace")
    ),
    new: flag(
      "Make a new workspace. By default, pyro offers the workspace of an earlier run in this project, if a person can answer"
    ),
    seedPath: optional(
      hostPath(
        "Directory of the host to copy to /workspace. Default: the git work tree of the working directory, else the working directory"
      )
    ),
    git: optional(GitHistory(`${gitHistoryText}. Default: shallow`)),
    includeIgnored: ignoredPaths(),
    allowHome: allowHome(),
    environment: optional(
      text(
        "Environment to add the agent to, such as debian:12-build. pyro builds the new environment once. Default: the agent's own choice"
      )
    ),
    name: optional(WorkspaceName().annotate({ description: "Name of the new workspace. Default: none" })),
    memoryMib: defaulted(
      between({ from: 512, to: 1_048_576, unit: "MiB", description: "Guest memory in MiB" }),
      () => 2048
    ),
    vcpuCount: defaulted(between({ from: 1, to: 32, unit: "", description: "Number of virtual CPUs" }), () => 2),
    allowHosts: defaulted(
      list(text("Host")).annotate({
        description:
          "Host that the guest may connect to beside the agent's API: NAME[:PORT], *.SUFFIX[:PORT], or a list such as npm. Default: none"
      }),
      () => []
    ),
    env: defaulted(
      strings(text("Value")).annotate({ description: "Environment variables of the agent. Default: none" }),
      () => ({})
    ),
    ask: flag(
      "Keep the agent's own questions. By default, the agent works without questions, because the microVM is the boundary"
    ),
    patch: optional(hostPath("File of the host to write the changes to, at the end. Default: none")),
    delete: flag("Delete the workspace at the end. A workspace with changes that --patch did not write stays")
  })
)
export type AgentPayload = ReturnType<typeof AgentPayload>["Type"]

export const agentCommand = {
  name: "agent",
  summary: "Run a coding agent in a workspace",
  description:
    "Copies the project to a new workspace and runs the agent there, on your terminal, or with pipes. The guest reaches the agent's API alone. The agent's key " +
    "stays on the host: the guest has a placeholder. Nothing on the host changes: at the end, pyro shows the changes and the commands that take them over. " +
    "docs/use-cases/agent-inside.md has more.",
  cli: {
    path: ["agent"],
    args: ["agent"],
    rest: "args",
    flags: { memory_mib: "mem-mib", allow_hosts: "allow-host" },
    groups: agentGroups,
    hostPaths: ["seed_path", "patch"],
    exits: "guest",
    examples: [
      "pyro agent claude-code",
      "pyro agent claude-code -- -p 'fix the failing test'",
      "pyro agent codex -- exec 'fix the failing test'",
      "pyro agent claude-code --allow-host npm --environment debian:12-build",
      "pyro agent claude-code --patch fix.patch --delete -- -p 'fix the failing test'",
      "pyro agent claude-code --workspace ws-0123456789"
    ]
  } satisfies CliSurface,
  errors: ["AgentKeyMissing"],
  payload: AgentPayload
} as const
