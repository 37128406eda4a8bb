import * as path from "node:path"
import { at, type Change } from "../format/document.ts"
import {
  type AgentHost,
  commandLine,
  configFiles,
  configHome,
  ENTRY,
  envOf,
  noApprovals,
  type Place,
  plainEntry,
  sharedSkills
} from "./agent-host.ts"

const copilotHome = ({ home, variable }: Place) => variable("COPILOT_HOME") ?? path.join(home, ".copilot")

/** GitHub Copilot CLI. Its project file is Claude Code's too, so both have the same entry there. */
export const copilot: AgentHost = {
  name: "copilot",
  title: "Copilot CLI",
  program: "copilot",
  config: configFiles("json", [".mcp.json"], (place) => path.join(copilotHome(place), "mcp-config.json")),
  servers: ["mcpServers"],
  entry: (server, scope) => ({
    type: scope === "project" ? "stdio" : "local",
    command: server.command,
    args: server.args,
    ...(scope === "project" ? {} : { tools: ["*"] }),
    ...envOf(server)
  }),
  commandOf: commandLine,
  skills: sharedSkills(),
  // Measured with 1.0.102: Copilot withholds these, and does not replace "${GITHUB_TOKEN}" in an entry.
  withholds: ["GITHUB_TOKEN", "COPILOT_GITHUB_TOKEN"],
  trust: (place) => ({
    file: { path: path.join(copilotHome(place), "config.json"), format: "json" },
    isTrusted: (value) => {
      const trusted = at(value, ["trustedFolders"])
      return Array.isArray(trusted) && trusted.includes(place.project)
    },
    fix: `run copilot in ${place.project}, and trust the folder`
  }),
  approvals: noApprovals(
    "Allow pyro's tools in Copilot CLI, for instance with --allow-tool=pyro: pyro does not set its approvals"
  )
}

/** A rule of Amp's permissions: the first one that matches a tool decides. */
const rule = (tool: string, action: "allow" | "ask") => ({ tool: `mcp__${ENTRY}__${tool}`, action })

/** One rule for each tool, so that the order of the rules does not matter. */
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
  config: configFiles(
    "json",
    [".amp", "settings.json"],
    (place) => path.join(configHome(place), "amp", "settings.json")
  ),
  servers: ["amp.mcpServers"],
  entry: plainEntry,
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

/** Goose: servers in config.yaml. Its mode (`GOOSE_MODE`) decides about questions. */
export const goose: AgentHost = {
  name: "goose",
  title: "Goose",
  program: "goose",
  config: configFiles("yaml", undefined, (place) => path.join(configHome(place), "goose", "config.yaml")),
  servers: ["extensions"],
  entry: (server) => ({
    name: ENTRY,
    description: "Disposable microVM workspaces",
    type: "stdio",
    enabled: true,
    cmd: server.command,
    args: server.args,
    timeout: 600,
    ...envOf(server, "envs")
  }),
  commandOf: (entry) => commandLine(entry, "cmd"),
  skills: sharedSkills(),
  approvals: noApprovals("Goose's mode and its tool permissions decide about questions: goose configure")
}
