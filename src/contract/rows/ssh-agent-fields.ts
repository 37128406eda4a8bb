import { Schema } from "effect"
import { boolean, hostPath, list, matching, optional, string } from "../text/fields.ts"
import { snakeStruct } from "../text/snake.ts"
import { lazy } from "./operation.ts"

/** Maximum number of hosts that an agent is lent for. */
const MAX_HOSTS = 16

/** Hosts that a guest may log in to, as a person's known_hosts has them. */
export const agentHosts = (description: string) =>
  list(
    Schema.String.pipe(
      matching(
        /^(\[[A-Za-z0-9][A-Za-z0-9.-]{0,252}\]:[0-9]{1,5}|[A-Za-z0-9][A-Za-z0-9.-]{0,252})$/,
        "must be a host as ~/.ssh/known_hosts has it, such as github.com or [git.example.com]:2222"
      )
    )
  ).pipe(Schema.check(Schema.isMinLength(1), Schema.isMaxLength(MAX_HOSTS))).annotate({ description })

/** An agent that is lent for the life of a workspace. */
export const sshAgentFields = (otherwise: string) => ({
  sshAgent: optional(
    agentHosts(
      "Hosts that the guest may log in to with your SSH agent while the workspace exists, as your known_hosts has them. " +
        `1 to 16 hosts. Default: ${otherwise}`
    )
  ),
  sshAgentAsk: optional(
    boolean("Each login waits until you allow it with `answer` or on the page. Needs `ssh_agent`. Default: false")
  ),
  sshAgentSocket: optional(
    hostPath("Socket of the SSH agent, of the user who runs pyro. Default: SSH_AUTH_SOCK of the caller")
  )
})

/** The caller's environment has the socket. */
export const socketOfCaller = { field: "ssh_agent_socket", of: "ssh_agent", variable: "SSH_AUTH_SOCK" } as const

/** The agent that a workspace has. */
export const LentAgent = lazy(() =>
  Schema.Struct({
    hosts: Schema.Array(Schema.String).annotate({ description: "Hosts that the guest may log in to" }),
    ask: boolean("Whether the person is asked before each login"),
    socket: optional(
      string(
        "Socket of the agent on the host, which the workspace has while it exists. Absent if `ssh-agent` lends the agent until its end"
      )
    ),
    detail: optional(string("Reason why no login works now. Absent if there is none"))
  })
)
export type LentAgent = ReturnType<typeof LentAgent>["Type"]

export const loginFields = lazy(() => ({
  request: string("Id of the request, for `answer`"),
  since: string("When it began to wait, in ISO 8601"),
  host: string("Host that a program of the guest logs in to"),
  user: string("User on that host. The guest chose the name"),
  fingerprint: string("Fingerprint of your key, as OpenSSH shows it")
}))

/** A login with a lent agent that waits for the user. */
export const WaitingLogin = lazy(() => snakeStruct(loginFields()))
export type WaitingLogin = ReturnType<typeof WaitingLogin>["Type"]
/** Subject of the question to the user. */
export type AskedLogin = Omit<WaitingLogin, "request" | "since">
