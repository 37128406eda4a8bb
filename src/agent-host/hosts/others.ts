import * as path from "node:path"
import type { AgentHost, HostScope } from "../agent-host.ts"
import { commandLine, envOf } from "../entries.ts"

/** A host whose approvals pyro does not set. */
const asking = (title: string): AgentHost["approvals"] => ({ approve }) => ({
  files: [],
  notes: approve === "none" ? [] : [`Allow pyro's tools in ${title}: pyro does not set its approvals`]
})

const userOnly = (scope: HostScope, file: string) =>
  scope === "project" ? undefined : { path: file, format: "json" as const }

/** GitHub Copilot CLI. */
export const copilot: AgentHost = {
  name: "copilot",
  title: "Copilot CLI",
  program: "copilot",
  config: (scope, { home, variable }) =>
    userOnly(scope, path.join(variable("COPILOT_HOME") ?? path.join(home, ".copilot"), "mcp-config.json")),
  servers: ["mcpServers"],
  entry: (server) => ({
    type: "local",
    command: server.command,
    args: server.args,
    tools: ["*"],
    ...envOf(server)
  }),
  commandOf: commandLine,
  approvals: asking("Copilot CLI, for instance with --allow-tool=pyro")
}

export const amp: AgentHost = {
  name: "amp",
  title: "Amp",
  program: "amp",
  config: (scope, { home, project, variable }) => ({
    path: scope === "project"
      ? path.join(project, ".amp", "settings.json")
      : path.join(variable("XDG_CONFIG_HOME") ?? path.join(home, ".config"), "amp", "settings.json"),
    format: "json"
  }),
  servers: ["amp.mcpServers"],
  entry: (server) => ({ command: server.command, args: server.args, ...envOf(server) }),
  commandOf: commandLine,
  approvals: asking("Amp: a project's server needs amp mcp approve, tools go by amp.permissions")
}

export const windsurf: AgentHost = {
  name: "windsurf",
  title: "Windsurf",
  program: "windsurf",
  config: (scope, { home }) => userOnly(scope, path.join(home, ".codeium", "windsurf", "mcp_config.json")),
  servers: ["mcpServers"],
  entry: (server) => ({ command: server.command, args: server.args, ...envOf(server) }),
  commandOf: commandLine,
  approvals: asking("Windsurf")
}
