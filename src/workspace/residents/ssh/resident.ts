import { Effect, Schema } from "effect"
import type { Resident, ResidentKind } from "../../entry/resident.ts"
import type { AgentLoan } from "./agent.ts"
import type { Ssh } from "./connections.ts"
import { hangUpLeft, isSshProcess } from "./helper.ts"

/**
 * A connection belongs to its client, and ends with the VM or the daemon. So no state has one, and none has a lent agent: the record of the
 * workspace has it, and the record of a copy does not.
 */
export const sshKind: ResidentKind<object> = { key: "ssh", state: Schema.Struct({}), upgrades: [] }

/** The SSH connections and the lent agent of a workspace as a resident. Each ends with the channel of its VM; the next VM has the agent again. */
export const sshResident = (ssh: Ssh, agent: AgentLoan): Resident<object> => ({
  begin: agent.lasting.begin,
  adopt: (vm) => Effect.andThen(hangUpLeft(vm), agent.lasting.begin(vm)),
  lose: () => agent.lasting.end,
  rest: () => agent.lasting.end,
  clear: Effect.void,
  owns: isSshProcess,
  isBusy: Effect.sync(() => ssh.count() > 0),
  describe: Effect.map(agent.loan, (sshAgent) => {
    const sshConnections = ssh.count()
    return {
      ...(sshAgent === undefined ? {} : { sshAgent }),
      ...(sshConnections === 0 ? {} : { sshConnections })
    }
  })
})
