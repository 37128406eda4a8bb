import * as path from "node:path"
import { commandLine, envOf } from "../connect/entries.ts"
import type { Change } from "../format/json.ts"
import { type AgentHost, ENTRY } from "./agent-host.ts"

/** Cursor: servers in mcp.json, allowed tools in permissions.json, whose list replaces the list of Cursor's settings. */
export const cursor: AgentHost = {
  name: "cursor",
  title: "Cursor",
  program: "cursor",
  config: (scope, { home, project }) => ({
    path: path.join(scope === "project" ? project : home, ".cursor", "mcp.json"),
    format: "json"
  }),
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
