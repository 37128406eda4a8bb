import type { ModeName } from "./modes.ts"

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
  "windsurf",
  "qwen",
  "kilo"
] as const
export type HostName = typeof hostNames[number]

/** Other names of hosts: of their programs, packages and products. */
const otherNames = new Map<string, HostName>([
  ["claude", "claude-code"],
  ["codex-cli", "codex"],
  ["open-code", "opencode"],
  ["gemini-cli", "gemini"],
  ["vs-code", "vscode"],
  ["code", "vscode"],
  ["copilot-cli", "copilot"],
  ["github-copilot", "copilot"],
  ["qwen-code", "qwen"],
  ["kilocode", "kilo"],
  ["kilo-code", "kilo"],
  ["cursor-agent", "cursor"],
  ["cline-cli", "cline"],
  ["goose-cli", "goose"]
])

/** A host's own name for a typed name. Any other word stays. */
export const hostNameOf = (typed: string): string => {
  const word = typed.toLowerCase().replace(/[ _]/g, "-")
  return otherNames.get(word) ?? ((hostNames as ReadonlyArray<string>).includes(word) ? word : typed)
}

/** Scope of an entry: all projects of this user, or one project. */
export type HostScope = "user" | "project"

/** Which of pyro's tools run without a question. `none` leaves the decision to the host. */
export type Approve = "safe" | "all" | "none"

/** Names by which people choose the tools of `pyro mcp serve`. */
export type ProfileName = "vm-run" | "workspace-core" | "workspace-full"

/** The tools of a server: those of a profile, or of a mode. */
export type SelectionName = ProfileName | ModeName

/** Agents that `pyro agent` runs in a workspace. */
export const insideNames = ["claude-code", "codex", "opencode", "gemini"] as const
export type InsideName = typeof insideNames[number]
