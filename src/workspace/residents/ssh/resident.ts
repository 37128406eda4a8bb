import { Effect, Schema } from "effect"
import type { Resident, ResidentKind } from "../../entry/resident.ts"
import type { Ssh } from "./connections.ts"

/** A connection belongs to its client and to one VM, so that no record has one. */
export const sshKind: ResidentKind<object> = { key: "ssh", state: Schema.Struct({}), upgrades: [] }

/** The SSH connections of a workspace as a resident. Each ends with the channel of its VM. */
export const sshResident = (ssh: Ssh): Resident<object> => ({
  adopt: () => Effect.void,
  lose: () => Effect.void,
  clear: Effect.void,
  isBusy: Effect.sync(() => ssh.count() > 0),
  describe: Effect.sync(() => {
    const sshConnections = ssh.count()
    return sshConnections === 0 ? {} : { sshConnections }
  })
})
