import * as path from "node:path"
import { at, type Change, type Path } from "../format/document.ts"
import {
  type AgentHost,
  commandLine,
  configFiles,
  configHome,
  ENTRY,
  envOf,
  noApprovals,
  plainEntry
} from "./agent-host.ts"

/** Cursor: servers in mcp.json, allowed tools in permissions.json, whose list replaces the list of Cursor's settings. */
export const cursor: AgentHost = {
  name: "cursor",
  title: "Cursor",
  program: "cursor",
  config: configFiles("json", [".cursor", "mcp.json"], ({ home }) => path.join(home, ".cursor", "mcp.json")),
  servers: ["mcpServers"],
  entry: (server, scope) => ({
    type: "stdio",
    command: server.command,
    // Cursor knows the folder of a project's own file.
    args: [...server.args, ...(scope === "project" ? ["--project-path", "${workspaceFolder}"] : [])],
    ...envOf(server)
  }),
  commandOf: commandLine,
  approvals: ({ approve, place: { exists, home, project }, scope, tools: { asked, safe } }) => {
    const file = path.join(scope === "project" ? project : home, ".cursor", "permissions.json")
    const allowed = approve === "none" ? [] : approve === "all" ? [...safe, ...asked] : safe
    const change = (name: string): Change => ({
      _tag: allowed.includes(name) ? "add" : "take",
      path: ["mcpAllowlist"],
      item: `${ENTRY}:${name}`
    })
    return exists(file)
      ? { files: [{ path: file, format: "json", changes: [...safe, ...asked].map(change) }] }
      : {
        files: [],
        notes: approve === "none" ? [] : [
          `Cursor asks before each tool. Allow tools in Cursor's settings. pyro does not make ${file}, because its list would replace the list there`
        ]
      }
  }
}

/** VS Code: servers in mcp.json. A person allows tools when VS Code asks. */
export const vscode: AgentHost = {
  name: "vscode",
  title: "VS Code",
  program: "code",
  config: configFiles(
    "json",
    [".vscode", "mcp.json"],
    (place) => path.join(configHome(place), "Code", "User", "mcp.json")
  ),
  servers: ["servers"],
  entry: (server) => ({
    type: "stdio",
    command: server.command,
    args: [...server.args, "--project-path", "${workspaceFolder}"],
    ...envOf(server)
  }),
  commandOf: commandLine,
  approvals: noApprovals("VS Code asks before each tool. Choose \"Always Allow\" in its question")
}

const permission = (tool: string): Path => ["agent", "tool_permissions", "tools", `mcp:${ENTRY}:${tool}`]

/** Zed: servers and permissions in settings.json. */
export const zed: AgentHost = {
  name: "zed",
  title: "Zed",
  program: "zed",
  config: configFiles(
    "json",
    [".zed", "settings.json"],
    (place) => path.join(configHome(place), "zed", "settings.json")
  ),
  servers: ["context_servers"],
  entry: plainEntry,
  commandOf: commandLine,
  approvals: ({ approve, config, scope, tools: { asked, safe } }) => {
    // A project's file cannot give permissions.
    if (scope === "project") {
      return {
        files: [],
        notes: approve === "none"
          ? []
          : ["Zed takes permissions from your own settings only: run pyro host connect zed --scope user"]
      }
    }
    const allowed = approve === "none" ? [] : approve === "all" ? [...safe, ...asked] : safe
    const change = (name: string): Change =>
      allowed.includes(name)
        ? { _tag: "set", path: permission(name), value: { default: "allow" } }
        : { _tag: "remove", path: permission(name) }
    return { files: [{ ...config, changes: [...safe, ...asked].map(change) }] }
  }
}

/** Cline: one file for all projects. */
export const cline: AgentHost = {
  name: "cline",
  title: "Cline",
  program: "cline",
  config: configFiles(
    "json",
    undefined,
    ({ home }) => path.join(home, ".cline", "data", "settings", "cline_mcp_settings.json")
  ),
  servers: ["mcpServers"],
  entry: (server) => ({
    transport: { type: "stdio", command: server.command, args: server.args, ...envOf(server) },
    disabled: false,
    timeout: 600
  }),
  commandOf: (entry) => commandLine(at(entry, ["transport"]) ?? entry),
  // @cline/core 0.0.86 reads no `autoApprove` of a server.
  approvals: noApprovals(
    "Cline's command line decides about questions, and for all tools at once: `cline --auto-approve false` asks before each, and a run without a terminal asks for none"
  )
}

export const windsurf: AgentHost = {
  name: "windsurf",
  title: "Windsurf",
  program: "windsurf",
  config: configFiles("json", undefined, ({ home }) => path.join(home, ".codeium", "windsurf", "mcp_config.json")),
  servers: ["mcpServers"],
  entry: plainEntry,
  commandOf: commandLine,
  approvals: noApprovals("Allow pyro's tools in Windsurf: pyro does not set its approvals")
}
