import type { AgentInside } from "./agent-inside.ts"

const baseUrl = { variable: "ANTHROPIC_BASE_URL", fallback: "https://api.anthropic.com" }

/** Claude Code, whose package for Linux is one program without dependencies. */
export const claudeCode: AgentInside = {
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
  // By default, a new installation has another model decide instead of the person.
  asking: ["--permission-mode", "default"],
  once: ["-p", "--print", "--version", "--help"],
  // Answers to the questions of the first start. The agent compares the last 20 characters of a key with those that the person approved.
  setUp: ({ variable }) =>
    `mkdir -p "$HOME/.claude"
[ -e "$HOME/.claude/settings.json" ] || echo '{"skipDangerousModePermissionPrompt":true}' >"$HOME/.claude/settings.json"
[ -e "$HOME/.claude.json" ] || printf '{"hasCompletedOnboarding":true,"bypassPermissionsModeAccepted":true,"customApiKeyResponses":{"approved":["%s"]},"projects":{"/workspace":{"hasTrustDialogAccepted":true}}}' "$(printf %s "$${variable}" | tail -c 20)" >"$HOME/.claude.json"`
}
