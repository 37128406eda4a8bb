import type { AgentInside } from "./agent-inside.ts"
import { settingsFile } from "./settings-file.ts"

/** Gemini CLI, which needs Node 20: Debian 13 has it. */
export const gemini: AgentInside = {
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
