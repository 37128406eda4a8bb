import type { RunPayload } from "../../contract/rows/run.ts"

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/**
 * Variables of a command, as `K=V`: defaults, overridden by the caller's. The agent sets HOME, USER and LOGNAME from the guest's
 * own accounts unless the caller does.
 */
export const guestEnvironment = (request: Pick<RunPayload, "env" | "tty">): ReadonlyArray<string> =>
  Object.entries({
    PATH: path,
    LANG: "C.UTF-8",
    SHELL: "/bin/bash",
    TERM: request.tty ? "xterm-256color" : "dumb",
    ...request.env
  }).map(([key, value]) => `${key}=${value}`)
