import * as path from "node:path"
import { at, type Change } from "../format/document.ts"
import {
  type AgentHost,
  type ApprovalRequest,
  commandLine,
  configFiles,
  ENTRY,
  envOf,
  type Place
} from "./agent-host.ts"

const tool = (name: string) => `mcp__${ENTRY}__${name}`
const ALLOW = ["permissions", "allow"] as const
const ASK = ["permissions", "ask"] as const

/** Permissions as Claude Code and Qwen Code keep them. A question comes before a permission. */
const permissions = (
  { approve, tools: { asked } }: Pick<ApprovalRequest, "approve" | "tools">
): ReadonlyArray<Change> => [
  { _tag: approve === "none" ? "take" : "add", path: ALLOW, item: tool("*") },
  ...asked.map((name): Change => ({ _tag: approve === "safe" ? "add" : "take", path: ASK, item: tool(name) }))
]

/** Servers of a project's .mcp.json that this user has approved. */
const ENABLED = ["enabledMcpjsonServers"] as const

/** Claude Code's own file: servers of this user, and the state of each project. */
const stateFile = ({ home, variable }: Place) => path.join(variable("CLAUDE_CONFIG_DIR") ?? home, ".claude.json")

/** Claude Code's folder of settings. */
const folderOf = ({ home, variable }: Place) => variable("CLAUDE_CONFIG_DIR") ?? path.join(home, ".claude")

/** Claude Code: servers in .claude.json or .mcp.json, permissions in settings files. */
export const claudeCode: AgentHost = {
  name: "claude-code",
  title: "Claude Code",
  program: "claude",
  config: configFiles("json", [".mcp.json"], stateFile),
  servers: ["mcpServers"],
  entry: (server) => ({ type: "stdio", command: server.command, args: server.args, ...envOf(server) }),
  commandOf: commandLine,
  skills: (scope, place) =>
    path.join(scope === "user" ? folderOf(place) : path.join(place.project, ".claude"), "skills"),
  trust: (place) => ({
    file: { path: stateFile(place), format: "json" },
    isTrusted: (value) => at(value, ["projects", place.project, "hasTrustDialogAccepted"]) === true,
    fix: `run claude in ${place.project}, and trust the folder`
  }),
  approvals: (request) => {
    const { approve, place, scope } = request
    const isProject = scope === "project"
    return {
      files: [{
        // A permission belongs to this person, so it goes into the file that git does not share.
        path: isProject
          ? path.join(place.project, ".claude", "settings.local.json")
          : path.join(folderOf(place), "settings.json"),
        format: "json",
        changes: [
          ...permissions(request),
          ...(isProject ? [{ _tag: approve === "none" ? "take" : "add", path: ENABLED, item: ENTRY } as const] : [])
        ]
      }],
      notes: isProject ? ["Claude Code starts a project's servers once you trust the project: run claude there"] : []
    }
  }
}

const qwenFolder = ({ home, variable }: Place) => variable("QWEN_HOME") ?? path.join(home, ".qwen")

/** Qwen Code, a relative of Gemini CLI: servers and permissions in settings.json. */
export const qwen: AgentHost = {
  name: "qwen",
  title: "Qwen Code",
  program: "qwen",
  config: configFiles("json", [".qwen", "settings.json"], (place) => path.join(qwenFolder(place), "settings.json")),
  servers: ["mcpServers"],
  entry: (server) => ({ command: server.command, args: server.args, timeout: 600_000, ...envOf(server) }),
  commandOf: commandLine,
  trust: (place) => ({
    file: {
      path: place.variable("QWEN_CODE_TRUSTED_FOLDERS_PATH") ?? path.join(qwenFolder(place), "trustedFolders.json"),
      format: "json"
    },
    isTrusted: (value) => at(value, [place.project]) === "TRUST_FOLDER",
    fix: `run qwen in ${place.project}, and trust the folder`
  }),
  approvals: (request) => ({
    // A permission belongs to this person, and a project's file is shared.
    files: request.scope === "user" ? [{ ...request.config, changes: permissions(request) }] : [],
    notes: request.scope === "project"
      ? ["Qwen Code asks before each tool: permissions belong to your own settings (pyro host connect qwen)"]
      : []
  })
}
