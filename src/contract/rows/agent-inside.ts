/** Agents that `pyro agent` runs in a workspace. */
export const insideNames = ["claude-code", "codex", "opencode", "gemini"] as const
export type InsideName = typeof insideNames[number]
