import type { InsideName } from "../../contract/rows/agent-host.ts"
import type { AgentInside } from "./agent-inside.ts"
import { claudeCode } from "./claude-code.ts"
import { codex } from "./codex.ts"
import { gemini } from "./gemini.ts"
import { opencode } from "./opencode.ts"

const agents: Readonly<Record<InsideName, AgentInside>> = {
  "claude-code": claudeCode,
  codex,
  opencode,
  gemini
}

/** The row of an agent. A new agent is a name in `insideNames` and a row here. */
export const agentInside = (name: InsideName): AgentInside => agents[name]
