import { Effect, Option, Schema } from "effect"
import type { Resident, ResidentKind } from "../../entry/resident.ts"
import type { AgentLoan } from "./agent.ts"
import type { Ssh } from "./connections.ts"
import { hangUpLeft, isSshProcess } from "./helper.ts"

/** A connection belongs to its client, and ends with the VM or the daemon. So no record has one. */
export const sshKind: ResidentKind<object> = { key: "ssh", state: Schema.Struct({}), upgrades: [] }

/** The SSH connections of a workspace as a resident. Each ends with the channel of its VM. */
export const sshResident = (ssh: Ssh, agent: AgentLoan): Resident<object> => ({
  adopt: hangUpLeft,
  lose: () => Effect.void,
  clear: Effect.void,
  owns: isSshProcess,
  isBusy: Effect.sync(() => ssh.count() > 0),
  describe: Effect.sync(() => {
    const sshConnections = ssh.count()
    const lent = Option.match(agent.loan(), { onNone: () => ({}), onSome: (sshAgent) => ({ sshAgent }) })
    return { ...lent, ...(sshConnections === 0 ? {} : { sshConnections }) }
  })
})
