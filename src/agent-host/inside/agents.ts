import type { InsideName } from "../../contract/rows/agent-host.ts"

/** A variable of the host that has a key, and the place of the key in requests. */
interface AgentKey {
  readonly variable: string
  /** Header of the provider's API that has the key, in lower case. */
  readonly header: string
  /** Variable with the origin of another API, and the default origin. */
  readonly baseUrl: { readonly variable: string; readonly fallback: string }
}

/** The key in use. */
export interface ChosenKey extends AgentKey {
  /** The person's value of `baseUrl.variable`, else `baseUrl.fallback`. */
  readonly url: string
}

/** An agent that runs in a workspace. One row for each agent. */
export interface AgentInside {
  readonly name: InsideName
  /** Exact versions, as the tests run them. The first package has the program. */
  readonly npm: readonly [string, ...ReadonlyArray<string>]
  /** Default environment to add the packages to, and Debian packages that the agent also needs. */
  readonly from: string
  readonly packages: ReadonlyArray<string>
  /** Path of the program beneath the first package. */
  readonly program: string
  /** The agent takes the first of these variables that is set. */
  readonly keys: readonly [AgentKey, ...ReadonlyArray<AgentKey>]
  /** Variables of the agent: no telemetry, no updates. */
  readonly env: Readonly<Record<string, string>>
  /** Variables of the host that the agent also gets. None has a key. */
  readonly passes: ReadonlyArray<string>
  /** Words that run the agent without questions. The microVM is the boundary. */
  readonly trusting: ReadonlyArray<string>
  /** Words that make the agent ask before it acts. @default none: the agent asks by itself */
  readonly asking?: ReadonlyArray<string>
  /** Words of a command line that answers once and ends, without a full screen. */
  readonly once: ReadonlyArray<string>
  /** Shell script that writes the agent's settings in the guest's home directory, before the agent starts. The key's variable has a placeholder. */
  readonly setUp: (key: ChosenKey, options: InsideOptions) => string
}

export interface InsideOptions {
  /** The agent asks its own questions. */
  readonly ask: boolean
}

/** Lines of a shell script that write a file below the guest's home directory, unless the file exists. */
const settingsFile = (file: string, text: string): string =>
  `mkdir -p "$HOME/$(dirname '${file}')"
[ -e "$HOME/${file}" ] || cat >"$HOME/${file}" <<'SETTINGS'
${text.trimEnd()}
SETTINGS`

const baseUrl = { variable: "ANTHROPIC_BASE_URL", fallback: "https://api.anthropic.com" }

/** Claude Code, whose package for Linux is one program without dependencies. */
const claudeCode: AgentInside = {
  name: "claude-code",
  npm: ["@anthropic-ai/claude-code-linux-x64@2.1.332"],
  from: "debian:12",
  packages: [],
  program: "claude",
  keys: [
    { variable: "ANTHROPIC_API_KEY", header: "x-api-key", baseUrl },
    { variable: "ANTHROPIC_AUTH_TOKEN", header: "authorization", baseUrl },
    { variable: "CLAUDE_CODE_OAUTH_TOKEN", header: "authorization", baseUrl }
  ],
  env: {
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_INSTALLATION_CHECKS: "1"
  },
  passes: ["ANTHROPIC_MODEL", "ANTHROPIC_SMALL_FAST_MODEL"],
  trusting: ["--dangerously-skip-permissions"],
  // By default, in a new installation another model decides, and not the person.
  asking: ["--permission-mode", "default"],
  once: ["-p", "--print", "--version", "--help"],
  // Answers to the questions of the first start. The agent compares the last 20 characters of a key with the approved ones.
  setUp: ({ variable }) =>
    `mkdir -p "$HOME/.claude"
[ -e "$HOME/.claude/settings.json" ] || echo '{"skipDangerousModePermissionPrompt":true}' >"$HOME/.claude/settings.json"
[ -e "$HOME/.claude.json" ] || printf '{"hasCompletedOnboarding":true,"bypassPermissionsModeAccepted":true,"customApiKeyResponses":{"approved":["%s"]},"projects":{"/workspace":{"hasTrustDialogAccepted":true}}}' "$(printf %s "$${variable}" | tail -c 20)" >"$HOME/.claude.json"`
}

/** Codex CLI, whose package for Linux is one program. Its settings name the variable with a provider's key. */
const codex: AgentInside = {
  name: "codex",
  npm: ["@openai/codex@0.171.0-linux-x64"],
  from: "debian:12",
  packages: [],
  program: "vendor/x86_64-unknown-linux-musl/bin/codex",
  keys: [{
    variable: "OPENAI_API_KEY",
    header: "authorization",
    baseUrl: { variable: "OPENAI_BASE_URL", fallback: "https://api.openai.com/v1" }
  }],
  env: {},
  passes: [],
  // No settings: they would also hold for a later run with --ask.
  trusting: ["-c", "approval_policy=\"never\"", "-c", "sandbox_mode=\"danger-full-access\""],
  once: ["exec", "--version", "--help"],
  setUp: ({ url, variable }) =>
    settingsFile(
      ".codex/config.toml",
      `model_provider = "openai-key"
check_for_update_on_startup = false

[model_providers.openai-key]
name = "OpenAI"
base_url = ${JSON.stringify(url)}
env_key = "${variable}"
wire_api = "responses"
supports_websockets = false

[projects."/workspace"]
trust_level = "trusted"
`
    )
}

/** Gemini CLI, which needs Node 20: Debian 13 has it. */
const gemini: AgentInside = {
  name: "gemini",
  npm: ["@google/gemini-cli@0.61.0"],
  from: "debian:13",
  packages: ["nodejs"],
  program: "bundle/gemini.js",
  keys: [{
    variable: "GEMINI_API_KEY",
    header: "x-goog-api-key",
    baseUrl: { variable: "GOOGLE_GEMINI_BASE_URL", fallback: "https://generativelanguage.googleapis.com" }
  }],
  env: { GEMINI_CLI_TRUST_WORKSPACE: "true" },
  passes: ["GEMINI_MODEL"],
  trusting: ["--yolo"],
  once: ["-p", "--prompt", "--version", "--help"],
  setUp: () =>
    settingsFile(
      ".gemini/settings.json",
      JSON.stringify({
        security: { auth: { selectedType: "gemini-api-key" } },
        general: { enableAutoUpdate: false },
        privacy: { usageStatisticsEnabled: false },
        telemetry: { enabled: false }
      })
    )
}

/** OpenCode's names of the providers. */
const providers = new Map([["ANTHROPIC_API_KEY", "anthropic"], ["OPENAI_API_KEY", "openai"]])

/** OpenCode, whose package for Linux is one program; this one needs no AVX2. */
const opencode: AgentInside = {
  name: "opencode",
  npm: ["opencode-linux-x64-baseline@1.18.33"],
  from: "debian:12",
  packages: [],
  program: "bin/opencode",
  keys: [
    {
      variable: "ANTHROPIC_API_KEY",
      header: "x-api-key",
      baseUrl: { variable: "ANTHROPIC_BASE_URL", fallback: "https://api.anthropic.com" }
    },
    {
      variable: "OPENAI_API_KEY",
      header: "authorization",
      baseUrl: { variable: "OPENAI_BASE_URL", fallback: "https://api.openai.com/v1" }
    }
  ],
  env: { OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" },
  passes: [],
  trusting: [],
  once: ["run", "--version", "--help"],
  setUp: ({ url, variable }, { ask }) =>
    settingsFile(
      ".config/opencode/opencode.json",
      JSON.stringify({
        autoupdate: false,
        // The provider's library appends only the name of the method, so the base includes the version.
        provider: { [providers.get(variable) ?? ""]: { options: { baseURL: url.replace(/\/?(v1\/?)?$/, "/v1") } } }
      })
    ) + (ask ? "" : "\nexport OPENCODE_PERMISSION='{\"*\":\"allow\"}'")
}

const agents: Readonly<Record<InsideName, AgentInside>> = {
  "claude-code": claudeCode,
  codex,
  opencode,
  gemini
}

/** The row of an agent. A new agent is a name in `insideNames` and a row here. */
export const agentInside = (name: InsideName): AgentInside => agents[name]
