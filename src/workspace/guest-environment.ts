import type { RunPayload } from "../contract/operations/run.ts"

const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/** Home of a user whose account the host does not know; `agent` has uid 1000 in every environment. */
const homeOf = (user: string) => {
  const [name] = user.split(":")
  if (name === "root" || name === "0" || name === undefined) return "/root"
  if (name === "1000") return "/home/agent"
  return /^\d+$/.test(name) ? "/" : `/home/${name}`
}

/** Variables that a command finds, as `K=V`: sane ones, and on top what the caller gave. */
export const guestEnvironment = (request: Pick<RunPayload, "user" | "env" | "tty">): ReadonlyArray<string> => {
  const [name = "root"] = request.user.split(":")
  const variables: Record<string, string> = {
    PATH: path,
    LANG: "C.UTF-8",
    HOME: homeOf(request.user),
    USER: name,
    LOGNAME: name,
    SHELL: "/bin/bash",
    ...(request.tty ? { TERM: "xterm-256color" } : { TERM: "dumb" }),
    ...request.env
  }
  return Object.entries(variables).map(([key, value]) => `${key}=${value}`)
}
