import type { ModeName } from "./modes/all.ts"

/** Agent hosts that `pyro host` knows. */
export const hostNames = [
  "claude-code",
  "codex",
  "opencode",
  "gemini",
  "cursor",
  "vscode",
  "zed",
  "goose",
  "cline",
  "copilot",
  "amp",
  "windsurf"
] as const
export type HostName = typeof hostNames[number]

/** Where an entry holds: for all projects of this user, or for one project. */
export type HostScope = "user" | "project"

/** Which of pyro's tools run without a question. `none` leaves the decision to the host. */
export type Approve = "safe" | "all" | "none"

/** Names by which people choose the tools of `pyro mcp serve`. */
export type ProfileName = "vm-run" | "workspace-core" | "workspace-full"

/** The tools of a server: those of a profile, or of a mode. */
export type SelectionName = ProfileName | ModeName
