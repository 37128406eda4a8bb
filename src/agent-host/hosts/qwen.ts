import * as path from "node:path"
import { commandLine, envOf } from "../connect/entries.ts"
import { at, type Change } from "../format/json.ts"
import { type AgentHost, ENTRY, type Place } from "./agent-host.ts"

const tool = (name: string) => `mcp__${ENTRY}__${name}`
const ALLOW = ["permissions", "allow"] as const
const ASK = ["permissions", "ask"] as const

const folderOf = ({ home, variable }: Place) => variable("QWEN_HOME") ?? path.join(home, ".qwen")

/** Qwen Code, a relative of Gemini CLI: servers and permissions in settings.json. A question comes before a permission. */
export const qwen: AgentHost = {
  name: "qwen",
  title: "Qwen Code",
  program: "qwen",
  config: (scope, place) => ({
    path: path.join(scope === "project" ? path.join(place.project, ".qwen") : folderOf(place), "settings.json"),
    format: "json"
  }),
  servers: ["mcpServers"],
  entry: (server) => ({ command: server.command, args: server.args, timeout: 600_000, ...envOf(server) }),
  commandOf: commandLine,
  trust: (scope, place) =>
    scope === "user" ? undefined : {
      file: {
        path: place.variable("QWEN_CODE_TRUSTED_FOLDERS_PATH") ?? path.join(folderOf(place), "trustedFolders.json"),
        format: "json"
      },
      isTrusted: (value) => at(value, [place.project]) === "TRUST_FOLDER",
      fix: `run qwen in ${place.project}, and trust the folder`
    },
  approvals: ({ approve, config, scope, tools: { asked } }) => {
    const changes: ReadonlyArray<Change> = [
      { _tag: approve === "none" ? "take" : "add", path: ALLOW, item: tool("*") },
      ...asked.map((name): Change => ({ _tag: approve === "safe" ? "add" : "take", path: ASK, item: tool(name) }))
    ]
    return {
      // A permission is this person's, and a project's file is shared.
      files: scope === "user" ? [{ ...config, changes }] : [],
      notes: scope === "project"
        ? ["Qwen Code asks before each tool: permissions belong to your own settings (pyro host connect qwen)"]
        : []
    }
  }
}
