import * as path from "node:path"
import { commandLine, envOf } from "../connect/entries.ts"
import { at, type Change } from "../format/json.ts"
import { type AgentHost, ENTRY, type HostScope } from "./agent-host.ts"

/** A host whose approvals pyro does not set. */
const asking = (title: string): AgentHost["approvals"] => ({ approve }) => ({
  files: [],
  notes: approve === "none" ? [] : [`Allow pyro's tools in ${title}: pyro does not set its approvals`]
})

const userOnly = (scope: HostScope, file: string) =>
  scope === "project" ? undefined : { path: file, format: "json" as const }

/** GitHub Copilot CLI. Its project file is Claude Code's too, so both have the same entry there. */
export const copilot: AgentHost = {
  name: "copilot",
  title: "Copilot CLI",
  program: "copilot",
  config: (scope, { home, project, variable }) => ({
    path: scope === "project"
      ? path.join(project, ".mcp.json")
      : path.join(variable("COPILOT_HOME") ?? path.join(home, ".copilot"), "mcp-config.json"),
    format: "json"
  }),
  servers: ["mcpServers"],
  entry: (server, scope) => ({
    type: scope === "project" ? "stdio" : "local",
    command: server.command,
    args: server.args,
    ...(scope === "project" ? {} : { tools: ["*"] }),
    ...envOf(server)
  }),
  commandOf: commandLine,
  // Measured with 1.0.102: these are taken out, and "${GITHUB_TOKEN}" in an entry is not replaced.
  withholds: ["GITHUB_TOKEN", "COPILOT_GITHUB_TOKEN"],
  trust: (scope, { home, project, variable }) =>
    scope === "user" ? undefined : {
      file: { path: path.join(variable("COPILOT_HOME") ?? path.join(home, ".copilot"), "config.json"), format: "json" },
      isTrusted: (value) => {
        const trusted = at(value, ["trustedFolders"])
        return Array.isArray(trusted) && trusted.includes(project)
      },
      fix: `run copilot in ${project}, and trust the folder`
    },
  approvals: asking("Copilot CLI, for instance with --allow-tool=pyro")
}

/** A rule of Amp's permissions: the first one that matches a tool decides. */
const rule = (tool: string, action: "allow" | "ask") => ({ tool: `mcp__${ENTRY}__${tool}`, action })

/** One rule a tool, so that the order of the rules does not matter. */
const ampRules = (name: string, wanted: "allow" | "ask" | undefined): ReadonlyArray<Change> =>
  (["allow", "ask"] as const).map((action) => ({
    _tag: action === wanted ? "add" : "take",
    path: ["amp.permissions"],
    item: rule(name, action)
  }))

/** Amp: servers and permissions in settings.json. */
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
  approvals: ({ approve, config, scope, tools: { asked, safe } }) => ({
    files: [{
      ...config,
      changes: [
        ...safe.flatMap((name) => ampRules(name, approve === "none" ? undefined : "allow")),
        ...asked.flatMap((name) => ampRules(name, approve === "none" ? undefined : approve === "all" ? "allow" : "ask"))
      ]
    }],
    notes: scope === "project" ? ["Amp starts a project's servers once you approve them: amp mcp approve"] : []
  })
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
