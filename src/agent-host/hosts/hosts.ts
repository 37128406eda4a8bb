import type { AgentHost, HostName } from "./agent-host.ts"
import { claudeCode, qwen } from "./claude-code.ts"
import { codex } from "./codex.ts"
import { cline, cursor, vscode, windsurf, zed } from "./editors.ts"
import { gemini } from "./gemini.ts"
import { kilo, opencode } from "./opencode.ts"
import { amp, copilot, goose } from "./others.ts"

export const agentHosts: { readonly [Name in HostName]: AgentHost } = {
  "claude-code": claudeCode,
  codex,
  opencode,
  gemini,
  cursor,
  vscode,
  zed,
  goose,
  cline,
  copilot,
  amp,
  windsurf,
  qwen,
  kilo
}
