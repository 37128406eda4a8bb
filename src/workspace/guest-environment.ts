import type { RunPayload } from "../contract/operations/run.ts"

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/**
 * Variables that a command finds, as `K=V`: sane ones, and on top what the caller gave. HOME, USER and LOGNAME come from the guest's
 * own accounts unless the caller says them: the agent fills them in.
 */
export const guestEnvironment = (request: Pick<RunPayload, "env" | "tty">): ReadonlyArray<string> =>
  Object.entries({
    PATH: path,
    LANG: "C.UTF-8",
    SHELL: "/bin/bash",
    TERM: request.tty ? "xterm-256color" : "dumb",
    ...request.env
  }).map(([key, value]) => `${key}=${value}`)
