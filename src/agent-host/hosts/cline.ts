import * as path from "node:path"
import { commandLine, envOf } from "../connect/entries.ts"
import { at } from "../format/json.ts"
import type { AgentHost } from "./agent-host.ts"

/** Cline: one file for all projects. */
export const cline: AgentHost = {
  name: "cline",
  title: "Cline",
  program: "cline",
  config: (scope, { home }) =>
    scope === "project" ? undefined : {
      path: path.join(home, ".cline", "data", "settings", "cline_mcp_settings.json"),
      format: "json"
    },
  servers: ["mcpServers"],
  entry: (server) => ({
    transport: { type: "stdio", command: server.command, args: server.args, ...envOf(server) },
    disabled: false,
    timeout: 600
  }),
  commandOf: (entry) => commandLine(at(entry, ["transport"]) ?? entry),
  approvals: ({ approve, config, entry, tools: { asked, safe } }) => ({
    files: [{
      ...config,
      changes: [
        approve === "none"
          ? { _tag: "remove", path: [...entry, "autoApprove"] }
          : { _tag: "set", path: [...entry, "autoApprove"], value: approve === "all" ? [...safe, ...asked] : safe }
      ]
    }]
  })
}
