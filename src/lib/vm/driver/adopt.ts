import { Effect, Option } from "effect"
import * as path from "node:path"
import type { HostToolMissing, VmFailed } from "../../../contract/errors/errors.ts"
import { isDiskFull } from "../../../system/files/failure.ts"
import { withLock } from "../../../system/files/lock.ts"
import {
  isAlive,
  ownIdentity,
  processesWithArgument,
  type ProcessIdentity
} from "../../../system/processes/identity.ts"
import { failedAt, vmFailed } from "../model/failure.ts"
import type { MachineSpec } from "../model/machine.ts"
import { processName, readRecord, type VmId, type VmPaths, type VmRecord, writeRecord } from "../model/record.ts"

/** Why a VM cannot be attached to. */
export const refused = (detail: string) => vmFailed("attach", detail)

/** Maximum time that one process waits for another process that takes the same VM. */
const takeTimeoutMs = 5_000

/** A record with everything that a driver needs to continue the VM. */
export interface Attachable extends VmRecord {
  readonly process: ProcessIdentity
  readonly machine: MachineSpec
}

/** Whether the process is the one of the record: it still has the VM's name among its arguments. */
const isProcessOf = ({ id, process }: Attachable) =>
  isAlive(process) && processesWithArgument(processName(id)).some(({ pid }) => pid === process.pid)

const attachable = (
  id: VmId,
  found: Option.Option<VmRecord>,
  program: string
): Effect.Effect<Attachable, VmFailed> => {
  if (Option.isNone(found)) return refused(`there is no VM ${id}`)
  const { machine, process, ...record } = found.value
  if (isAlive(record.owner)) return refused(`process ${record.owner.pid} answers for ${id}`)
  if (record.purpose !== "workspace" || record.dieWithOwner !== false) {
    return refused(`${id} serves "${record.purpose}" and ends with the process that made it`)
  }
  if (machine === undefined || process === undefined) return refused(`${id} was never finished`)
  const complete = { ...record, machine, process }
  return isProcessOf(complete)
    ? Effect.succeed(complete)
    : refused(`the ${program} of ${id} is gone: the host restarted, or ${program} was killed`)
}

/**
 * Makes this process the owner of a VM without an owner. If two processes try at once, one gets the VM. `program` names the VM's process in
 * errors.
 */
export const adopt = (
  id: VmId,
  paths: VmPaths,
  program: string
): Effect.Effect<Attachable, VmFailed | HostToolMissing> =>
  Effect.gen(function*() {
    const record = yield* attachable(id, yield* Effect.mapError(readRecord(paths), failedAt("attach")), program)
    const adopted: Attachable = { ...record, owner: ownIdentity() }
    yield* writeRecord(paths, adopted).pipe(
      // Only the process that has the workspaces attaches to their VMs, so a full disk does no harm here.
      Effect.catchIf(isDiskFull, (failure) =>
        Effect.logWarning(`${id} is adopted over without a record of it: ${failure.message}`)),
      Effect.mapError(failedAt("attach"))
    )
    return adopted
  }).pipe(
    withLock(path.join(paths.directory, "owner.lock"), { timeoutMs: takeTimeoutMs }),
    Effect.mapError((failure) =>
      failure._tag === "LockTimeout" || failure._tag === "FileFailed" ? failedAt("attach")(failure) : failure
    )
  )
