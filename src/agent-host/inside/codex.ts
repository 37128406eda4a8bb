import type { AgentInside } from "./agent-inside.ts"
import { settingsFile } from "./settings-file.ts"

/** Codex CLI, whose package for Linux is one program. Codex reads the key of a provider from the variable that its settings name. */
export const codex: AgentInside = {
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
