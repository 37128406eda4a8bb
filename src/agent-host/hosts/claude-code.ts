import * as path from "node:path"
import { commandLine, envOf } from "../connect/entries.ts"
import { at, type Change } from "../format/json.ts"
import { type AgentHost, ENTRY, type Place } from "./agent-host.ts"

const tool = (name: string) => `mcp__${ENTRY}__${name}`
const ALLOW = ["permissions", "allow"] as const
const ASK = ["permissions", "ask"] as const

/** Servers of a project's .mcp.json that this user has approved. */
const ENABLED = ["enabledMcpjsonServers"] as const

/** Claude Code's own file: servers of this user, and what it knows of each project. */
const stateFile = ({ home, variable }: Place) => path.join(variable("CLAUDE_CONFIG_DIR") ?? home, ".claude.json")

/** Claude Code: servers in .claude.json or .mcp.json, permissions in settings files. A question comes before a permission. */
export const claudeCode: AgentHost = {
  name: "claude-code",
  title: "Claude Code",
  program: "claude",
  config: (scope, place) => ({
    path: scope === "project" ? path.join(place.project, ".mcp.json") : stateFile(place),
    format: "json"
  }),
  servers: ["mcpServers"],
  entry: (server) => ({ type: "stdio", command: server.command, args: server.args, ...envOf(server) }),
  commandOf: commandLine,
  trust: (scope, place) =>
    scope === "user" ? undefined : {
      file: { path: stateFile(place), format: "json" },
      isTrusted: (value) => at(value, ["projects", place.project, "hasTrustDialogAccepted"]) === true,
      fix: `run claude in ${place.project}, and trust the folder`
    },
  approvals: ({ approve, place: { home, project, variable }, scope, tools: { asked } }) => {
    const everything = tool("*")
    const changes: ReadonlyArray<Change> = [
      { _tag: approve === "none" ? "take" : "add", path: ALLOW, item: everything },
      ...asked.map((name): Change => ({ _tag: approve === "safe" ? "add" : "take", path: ASK, item: tool(name) })),
      ...(scope === "project"
        ? [{ _tag: approve === "none" ? "take" : "add", path: ENABLED, item: ENTRY } as const]
        : [])
    ]
    return {
      files: [{
        // A permission is this person's, so it stands in the file that git does not share.
        path: scope === "project"
          ? path.join(project, ".claude", "settings.local.json")
          : path.join(variable("CLAUDE_CONFIG_DIR") ?? path.join(home, ".claude"), "settings.json"),
        format: "json",
        changes
      }],
      notes: scope === "project"
        ? ["Claude Code starts a project's servers once you trust the project: run claude there"]
        : []
    }
  }
}
