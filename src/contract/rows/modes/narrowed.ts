import type { Narrowing } from "./mode.ts"

// Tools that several modes narrow in the same way.

/** A workspace of the project, with the network that the server may grant. */
export const create: Narrowing = { arguments: ["environment", "network_policy", "allow_hosts"] }

/** The project's workspaces, for a session that lost an id. */
export const list: Narrowing = { arguments: ["cursor"] }

/** A command, its later output, and its end. */
export const exec: Narrowing = {
  arguments: [
    "workspace_id",
    "command",
    "cwd",
    "wait_seconds",
    "timeout_seconds",
    "exec_id",
    "cursor",
    "secret_env",
    "cancel"
  ]
}

export const fileList: Narrowing = { arguments: ["workspace_id", "path", "recursive", "cursor"] }

export const fileRead: Narrowing = { arguments: ["workspace_id", "path", "start_line", "line_count"] }

export const diff: Narrowing = { arguments: ["workspace_id", "paths", "stat", "cursor"] }

export const onlyWorkspace: Narrowing = { arguments: ["workspace_id"] }

export const remove: Narrowing = { arguments: ["workspace_ids"] }
