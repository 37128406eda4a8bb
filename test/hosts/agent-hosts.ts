import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { anthropic } from "./dialects/anthropic.ts"
import type { Dialect } from "./dialects/dialect.ts"
import { gemini } from "./dialects/gemini.ts"
import { openaiChat } from "./dialects/openai-chat.ts"
import { openaiResponses } from "./dialects/openai-responses.ts"

/** Where a host runs: directories and an environment of a test's own. */
export interface Place {
  readonly home: string
  readonly project: string
  readonly env: Readonly<Record<string, string>>
  /** Variables that pyro's server needs; a host may hide all others from it. */
  readonly serverEnv: Readonly<Record<string, string>>
  /** Origin of the scripted model's API. */
  readonly origin: string
  /** Path of a host's program. */
  readonly program: (name: string) => string
}

/** An agent host: how a user adds pyro to it, and how it is run without a terminal. */
export interface AgentHost {
  readonly name: string
  readonly program: string
  readonly dialect: Dialect
  readonly configure: (place: Place) => void
  readonly env: (place: Place) => Readonly<Record<string, string>>
  readonly args: (prompt: string) => ReadonlyArray<string>
}

const write = (file: string, text: string) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
}

/** Runs a host's own command that adds an MCP server, as docs/integrations.md shows it. */
const run = ({ env, program, project }: Place, name: string, args: ReadonlyArray<string>) =>
  execFileSync(program(name), args, { cwd: project, env: { ...env }, stdio: ["ignore", "pipe", "pipe"] })

const flags = (flag: string, env: Readonly<Record<string, string>>) =>
  Object.entries(env).flatMap(([name, value]) => [flag, `${name}=${value}`])

const claude: AgentHost = {
  name: "Claude Code",
  program: "claude",
  dialect: anthropic,
  configure: (place) => {
    write(
      path.join(place.home, ".claude/settings.json"),
      JSON.stringify({ permissions: { allow: ["mcp__pyro__*"] } })
    )
    run(place, "claude", [
      "mcp",
      "add",
      "-s",
      "user",
      "pyro",
      ...flags("-e", place.serverEnv),
      "--",
      "pyro",
      "mcp",
      "serve"
    ])
  },
  env: ({ origin }) => ({
    ANTHROPIC_BASE_URL: origin,
    ANTHROPIC_API_KEY: "scripted",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1"
  }),
  args: (prompt) => ["-p", prompt]
}

const codex: AgentHost = {
  name: "Codex",
  program: "codex",
  dialect: openaiResponses,
  configure: (place) => {
    write(
      path.join(place.home, ".codex/config.toml"),
      `model = "scripted"
model_provider = "scripted"

[model_providers.scripted]
name = "scripted"
base_url = "${place.origin}/v1"
wire_api = "responses"
supports_websockets = false

`
    )
    run(place, "codex", ["mcp", "add", "pyro", ...flags("--env", place.serverEnv), "--", "pyro", "mcp", "serve"])
    fs.appendFileSync(
      path.join(place.home, ".codex/config.toml"),
      `
[mcp_servers.pyro.tools.workspace_export]
approval_mode = "approve"

[mcp_servers.pyro.tools.workspace_delete]
approval_mode = "approve"
`
    )
  },
  env: () => ({}),
  args: (prompt) => ["exec", "--skip-git-repo-check", prompt]
}

const opencode: AgentHost = {
  name: "OpenCode",
  program: "opencode",
  dialect: openaiChat,
  configure: ({ home, origin, serverEnv }) =>
    write(
      path.join(home, ".config/opencode/opencode.jsonc"),
      JSON.stringify({
        provider: {
          scripted: {
            npm: "@ai-sdk/openai-compatible",
            name: "scripted",
            options: { baseURL: `${origin}/v1`, apiKey: "scripted" },
            models: {
              scripted: {
                name: "scripted",
                tool_call: true,
                attachment: true,
                modalities: { input: ["text", "image"], output: ["text"] }
              }
            }
          }
        },
        mcp: {
          pyro: {
            type: "local",
            command: ["pyro", "mcp", "serve"],
            environment: serverEnv,
            enabled: true,
            timeout: 30_000
          }
        },
        permission: { "pyro_*": "allow" },
        autoupdate: false
      })
    ),
  env: () => ({ OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" }),
  args: (prompt) => ["run", "--model", "scripted/scripted", prompt]
}

const geminiCli: AgentHost = {
  name: "Gemini CLI",
  program: "gemini",
  dialect: gemini,
  configure: (place) => {
    write(
      path.join(place.home, ".gemini/settings.json"),
      JSON.stringify({
        security: { auth: { selectedType: "gemini-api-key" } },
        general: { disableAutoUpdate: true, enableAutoUpdate: false },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false }
      })
    )
    run(place, "gemini", [
      "mcp",
      "add",
      "-s",
      "user",
      "--trust",
      "--timeout",
      "600000",
      ...flags("-e", place.serverEnv),
      "pyro",
      "pyro",
      "mcp",
      "serve"
    ])
  },
  env: ({ origin }) => ({
    GOOGLE_GEMINI_BASE_URL: origin,
    GEMINI_API_KEY: "scripted",
    GEMINI_CLI_TRUST_WORKSPACE: "true"
  }),
  args: (prompt) => ["--model", "gemini-2.5-pro", "-p", prompt]
}

export const agentHosts: ReadonlyArray<AgentHost> = [claude, codex, opencode, geminiCli]
