/** The variable of the host's SSH agent. A part of `variables`. */
export const sshVariables = {
  SSH_AUTH_SOCK: {
    group: "host",
    allowed: { kind: "text", what: "the path of a socket" },
    otherwise: "none",
    purpose: "Socket of your SSH agent, which `ssh-agent` and `--ssh-agent` lend",
    readers: "`pyro ssh-agent`, and `pyro create`, `pyro update` and programs that lend an agent"
  }
} as const
