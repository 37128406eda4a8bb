import * as path from "node:path"
import { commandLine, envOf } from "../connect/entries.ts"
import type { AgentHost } from "./agent-host.ts"

/** VS Code: servers in mcp.json. A person allows tools in the question that VS Code asks. */
export const vscode: AgentHost = {
  name: "vscode",
  title: "VS Code",
  program: "code",
  config: (scope, { home, project, variable }) => ({
    path: scope === "project"
      ? path.join(project, ".vscode", "mcp.json")
      : path.join(variable("XDG_CONFIG_HOME") ?? path.join(home, ".config"), "Code", "User", "mcp.json"),
    format: "json"
  }),
  servers: ["servers"],
  entry: (server) => ({
    type: "stdio",
    command: server.command,
    args: [...server.args, "--project-path", "${workspaceFolder}"],
    ...envOf(server)
  }),
  commandOf: commandLine,
  approvals: ({ approve }) => ({
    files: [],
    notes: approve === "none" ? [] : ["VS Code asks before each tool. Choose \"Always Allow\" in its question"]
  })
}
