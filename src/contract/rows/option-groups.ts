/** Titles of groups with the options of each, in the order of the help: options as typed, without their dashes. */
export type OptionGroups = Readonly<Record<string, ReadonlyArray<string>>>

const network = ["allow-host", "network-policy", "deny-host", "allow-ip"]
const output = ["id-only", "json", "quiet", "context", "help"]
const result = ["json", "quiet", "context", "help"]
/** Options of a network and of a microVM that few workspaces need. */
const rareOfMachines = ["no-package-cache", "trust-host-certificates", "driver", "require-confinement"]

export const createGroups: OptionGroups = {
  "Files and environment": [
    "seed-path",
    "dockerfile",
    "repo-url",
    "repo-ref",
    "devcontainer",
    "from-snapshot",
    "include-ignored",
    "git"
  ],
  Workspace: ["name", "env", "cwd", "label", "ttl-seconds", "pause-after", "workspace-user"],
  Network: network,
  Secrets: ["secret-env", "secret-file", "secret", "secret-http", "secret-commands", "ssh-agent", "ssh-agent-ask"],
  Size: ["vcpu-count", "mem-mib", "disk-mib"],
  Output: output,
  Rare: [
    "allow-home",
    "rebuild",
    "skip-commands",
    "forward-ports",
    "disk-only",
    "registry-auth-env",
    "registry-auth-file",
    "allow-registry",
    "token-host",
    ...rareOfMachines
  ]
}

export const runGroups: OptionGroups = {
  Command: ["interactive", "tty", "script", "env", "cwd", "user", "timeout-seconds"],
  Files: ["seed-path", "include-ignored"],
  Network: network,
  Secrets: ["secret-env", "secret-mount", "secret-file", "secret", "secret-http", "secret-commands"],
  Size: ["vcpu-count", "mem-mib"],
  Output: result,
  Rare: [
    "grace-seconds",
    "ttl-seconds",
    "rm",
    "workspace-user",
    "allow-home",
    "max-bytes",
    "order",
    "raw",
    ...rareOfMachines
  ]
}

export const execGroups: OptionGroups = {
  Command: ["interactive", "tty", "script", "env", "cwd", "user", "timeout-seconds"],
  "In the background": ["detach", "wait-seconds", "open-stdin"],
  Secrets: ["secret-env", "secret-mount"],
  Output: output,
  Rare: ["grace-seconds", "exec-id", "cursor", "max-bytes", "order", "raw"]
}

export const serviceGroups: OptionGroups = {
  Command: ["publish", "restart", "script", "env", "cwd", "user"],
  "When the service is ready": [
    "ready-tcp",
    "ready-http",
    "ready-file",
    "ready-command",
    "ready-timeout-seconds",
    "ready-interval-ms"
  ],
  Secrets: ["secret-env", "secret-mount"],
  Output: result
}

export const exportGroups: OptionGroups = {
  "Copies of files": ["output", "exclude", "overwrite", "preserve-times"],
  "Changes since create": ["apply", "patch", "check", "expect", "include-ignored"],
  Output: result,
  Rare: ["ask", "allow-executable-config", "allow-secrets", "max-mib", "max-entries"]
}

export const updateGroups: OptionGroups = {
  "Name and life": ["name", "label", "ttl-seconds", "pause-after", "clear-name", "clear-label"],
  "Commands and disk": ["env", "cwd", "disk-mib", "clear-env"],
  Secrets: [
    "secret-env",
    "secret-file",
    "secret",
    "secret-http",
    "secret-commands",
    "clear-secret",
    "clear-secret-http"
  ],
  "SSH agent": ["ssh-agent", "ssh-agent-ask", "clear-ssh-agent"],
  Output: result
}

export const buildGroups: OptionGroups = {
  "More packages": ["packages", "npm", "from"],
  "A Dockerfile or a dev container": [
    "dockerfile",
    "build-arg",
    "target",
    "secret",
    "no-cache",
    "pull",
    "devcontainer"
  ],
  Network: ["allow-host", "registry-auth-env", "registry-auth-file", "token-host"],
  Output: result,
  Rare: ["replace", "platform"]
}

export const serveGroups: OptionGroups = {
  Tools: ["profile", "mode"],
  "Files of new workspaces": ["project-path", "repo-url", "repo-ref", "include-ignored", "git"],
  "Environment of new workspaces": ["environment", "allow-image", "workspace-user"],
  "What a model may do": ["network-ceiling", "allow-read", "allow-export", "ask-export", "all-workspaces"],
  Secrets: ["secret-env", "secret-file", "secret-http", "secret-commands"],
  Help: ["context", "help"]
}

export const agentGroups: OptionGroups = {
  "Files and environment": ["seed-path", "environment", "include-ignored", "git", "allow-home"],
  Workspace: ["name", "workspace", "new", "allow-host", "env", "vcpu-count", "mem-mib"],
  "The agent and its changes": ["ask", "patch", "delete"],
  Output: result
}
