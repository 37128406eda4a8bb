import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import { knownHosts, unknownHostText } from "../../../lib/ssh/lend-agent.ts"
import { socketTrouble } from "../../../system/files/own-socket.ts"
import { accountHome } from "../../../system/processes/host.ts"
import { settingNow } from "../../../system/settings/config.ts"
import type { Consents } from "../../entry/consents.ts"
import type { Entry } from "../../entry/entry.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"

/** An agent that is lent for the life of a workspace, as its record has it. */
export type LastingLoan = NonNullable<WorkspaceRecord["sshAgent"]>

/** Facts about the lent agent of a workspace. */
export interface LoanSource {
  /** The loan of its record. */
  readonly recorded: Effect.Effect<LastingLoan | undefined>
  /** User of the guest whose programs may open the socket. */
  readonly user: Effect.Effect<string>
  readonly askLogin: Consents["askLogin"]
}

export const loanSourceOf = ({ consents, record }: Pick<Entry, "record" | "consents">): LoanSource => ({
  recorded: Effect.map(record.now, ({ sshAgent }) => sshAgent),
  user: Effect.map(record.now, ({ user, workspaceUser }) => user ?? workspaceUser),
  askLogin: consents.askLogin
})

/** The keys of hosts by the known_hosts of the daemon's user, whose socket the agent's is. */
export const hostKeysOf = (hosts: ReadonlyArray<string>) =>
  knownHosts(settingNow("HOME") ?? accountHome() ?? "/", hosts)

/** The fields of a request that lend an agent. */
export interface Lending {
  readonly sshAgent?: ReadonlyArray<string> | undefined
  readonly sshAgentAsk?: boolean | undefined
  readonly sshAgentSocket?: string | undefined
}

/** The loan that a request asks for. Undefined if it asks for none. Fails if nobody could log in with it. */
export const loanOf = ({ sshAgent: hosts, sshAgentAsk, sshAgentSocket: socket }: Lending) =>
  Effect.gen(function*() {
    if (hosts === undefined) {
      const without = sshAgentAsk !== undefined
        ? "ssh_agent_ask"
        : socket !== undefined
        ? "ssh_agent_socket"
        : undefined
      if (without === undefined) return undefined
      return yield* new InvalidRequest({ field: without, detail: "needs ssh_agent, with the hosts" })
    }
    if (socket === undefined) {
      return yield* new InvalidRequest({
        field: "ssh_agent",
        detail: "no agent to lend: SSH_AUTH_SOCK is not set. Start one: eval $(ssh-agent); ssh-add"
      })
    }
    const trouble = socketTrouble(socket)
    if (trouble !== undefined) {
      return yield* new InvalidRequest({
        field: "ssh_agent_socket",
        detail: `${socket} cannot be lent: ${trouble}. pyro lends the agent of the user who runs the daemon`
      })
    }
    const unknown = [...hostKeysOf(hosts)].find(([, keys]) => keys.size === 0)?.[0]
    if (unknown !== undefined) {
      return yield* new InvalidRequest({
        field: "ssh_agent",
        detail: unknownHostText(unknown)
      })
    }
    return { hosts, ask: sshAgentAsk ?? false, socket } satisfies LastingLoan
  })
