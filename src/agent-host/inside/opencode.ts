import type { AgentInside } from "./agent-inside.ts"
import { settingsFile } from "./settings-file.ts"

/** Names of OpenCode for the providers of the keys. */
const providers = new Map([["ANTHROPIC_API_KEY", "anthropic"], ["OPENAI_API_KEY", "openai"]])

/** OpenCode, whose package for Linux is one program; this one needs no AVX2. */
export const opencode: AgentInside = {
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
        // The provider's library appends the name of the method: to it, the version is a part of the base.
        provider: { [providers.get(variable) ?? ""]: { options: { baseURL: url.replace(/\/?(v1\/?)?$/, "/v1") } } }
      })
    ) + (ask ? "" : "\nexport OPENCODE_PERMISSION='{\"*\":\"allow\"}'")
}
