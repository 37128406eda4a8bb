import * as path from "node:path"
import { commandLine, envOf } from "../connect/entries.ts"
import type { Change, Path } from "../format/json.ts"
import { type AgentHost, ENTRY } from "./agent-host.ts"

const permission = (tool: string): Path => ["agent", "tool_permissions", "tools", `mcp:${ENTRY}:${tool}`]

/** Zed: servers and permissions in settings.json. */
export const zed: AgentHost = {
  name: "zed",
  title: "Zed",
  program: "zed",
  config: (scope, { home, project, variable }) => ({
    path: scope === "project"
      ? path.join(project, ".zed", "settings.json")
      : path.join(variable("XDG_CONFIG_HOME") ?? path.join(home, ".config"), "zed", "settings.json"),
    format: "json"
  }),
  servers: ["context_servers"],
  entry: (server) => ({ command: server.command, args: server.args, ...envOf(server) }),
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
