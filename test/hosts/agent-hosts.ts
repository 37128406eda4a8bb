import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostName } from "../../src/contract/rows/agent-host.ts"
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
  /** Origin of the scripted model's API. */
  readonly origin: string
  /** Path of a host's program. */
  readonly program: (name: string) => string
}

/** An agent host: its settings without pyro, and how it is run without a terminal. */
export interface AgentHost {
  readonly name: string
  /** Name for `pyro host connect`. */
  readonly host: HostName
  readonly program: string
  readonly dialect: Dialect
  /** Path beneath the home directory and text of the settings that name the scripted model. */
  readonly settings?: (place: Place) => readonly [file: string, text: string]
  readonly env: (place: Place) => Readonly<Record<string, string>>
  readonly args: (prompt: string) => ReadonlyArray<string>
  /** Arguments that send a prompt of pyro's server with a value of its argument. A host without them has no prompts of servers. */
  readonly promptArgs?: (prompt: string, argument: string, value: string) => ReadonlyArray<string>
}

/** Adds pyro to a host as a user does. */
export const configure = (host: AgentHost, place: Place, options: ReadonlyArray<string> = []) => {
  const { env, home, project } = place
  if (host.settings !== undefined) {
    const [file, text] = host.settings(place)
    fs.mkdirSync(path.dirname(path.join(home, file)), { recursive: true })
    fs.writeFileSync(path.join(home, file), text)
  }
  execFileSync("pyro", ["host", "connect", host.host, ...options], {
    cwd: project,
    env,
    stdio: ["ignore", "pipe", "pipe"]
  })
}

const claude: AgentHost = {
  name: "Claude Code",
  host: "claude-code",
  program: "claude",
  dialect: anthropic,
  env: ({ origin }) => ({
    ANTHROPIC_BASE_URL: origin,
    ANTHROPIC_API_KEY: "scripted",
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1"
  }),
  args: (prompt) => ["-p", prompt],
  promptArgs: (prompt, _, value) => ["-p", `/mcp__pyro__${prompt} ${value}`]
}

const codex: AgentHost = {
  name: "Codex",
  host: "codex",
  program: "codex",
  dialect: openaiResponses,
  settings: ({ origin }) => [
    ".codex/config.toml",
    `# The model of this test
model = "scripted"
model_provider = "scripted"

[model_providers.scripted]
name = "scripted"
base_url = "${origin}/v1"
wire_api = "responses"
supports_websockets = false
`
  ],
  env: () => ({}),
  args: (prompt) => ["exec", "--skip-git-repo-check", prompt]
}

const opencode: AgentHost = {
  name: "OpenCode",
  host: "opencode",
  program: "opencode",
  dialect: openaiChat,
  settings: ({ origin }) => [
    ".config/opencode/opencode.jsonc",
    `{
  // The model of this test
  "provider": {
    "scripted": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "scripted",
      "options": { "baseURL": "${origin}/v1", "apiKey": "scripted" },
      "models": {
        "scripted": {
          "name": "scripted",
          "tool_call": true,
          "attachment": true,
          "modalities": { "input": ["text", "image"], "output": ["text"] }
        }
      }
    }
  },
  "autoupdate": false
}
`
  ],
  env: () => ({ OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" }),
  args: (prompt) => ["run", "--model", "scripted/scripted", prompt],
  promptArgs: (prompt, _, value) => ["run", "--model", "scripted/scripted", "--command", `pyro:${prompt}`, value]
}

const geminiCli: AgentHost = {
  name: "Gemini CLI",
  host: "gemini",
  program: "gemini",
  dialect: gemini,
  settings: () => [
    ".gemini/settings.json",
    `{
  "security": { "auth": { "selectedType": "gemini-api-key" } },
  "general": { "disableAutoUpdate": true, "enableAutoUpdate": false },
  "privacy": { "usageStatisticsEnabled": false },
  "telemetry": { "enabled": false }
}
`
  ],
  env: ({ origin }) => ({
    GOOGLE_GEMINI_BASE_URL: origin,
    GEMINI_API_KEY: "scripted",
    GEMINI_CLI_TRUST_WORKSPACE: "true"
  }),
  args: (prompt) => ["--model", "gemini-2.5-pro", "-p", prompt],
  promptArgs: (prompt, argument, value) => [
    ...["--model", "gemini-2.5-pro"],
    ...["-p", `/${prompt} --${argument}="${value}"`]
  ]
}

export const agentHosts: ReadonlyArray<AgentHost> = [claude, codex, opencode, geminiCli]
