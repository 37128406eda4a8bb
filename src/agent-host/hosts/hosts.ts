import type { AgentHost, HostName } from "./agent-host.ts"
import { claudeCode } from "./claude-code.ts"
import { cline } from "./cline.ts"
import { codex } from "./codex.ts"
import { cursor } from "./cursor.ts"
import { gemini } from "./gemini.ts"
import { goose } from "./goose.ts"
import { kilo, opencode } from "./opencode.ts"
import { amp, copilot, windsurf } from "./others.ts"
import { qwen } from "./qwen.ts"
import { vscode } from "./vscode.ts"
import { zed } from "./zed.ts"

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
