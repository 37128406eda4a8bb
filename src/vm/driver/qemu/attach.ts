import { Effect, Option, type Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { VmFailed } from "../../../contract/errors.ts"
import { isDiskFull } from "../../../system/disk-full.ts"
import { isAlive, ownIdentity, processesWithArgument, type ProcessIdentity } from "../../../system/identity.ts"
import { withLock } from "../../../system/lock.ts"
import { Paths } from "../../../system/Paths.ts"
import { failedAt } from "../../failure.ts"
import { removeMemory } from "../../host/memory.ts"
import { makeOwnership } from "../../record/ownership.ts"
import {
  type DiskState,
  readRecord,
  type VmId,
  type VmPaths,
  vmPaths,
  type VmRecord,
  writeRecord
} from "../../record/record.ts"
import { removeFolder } from "../../record/vm-folder.ts"
import type { Vm, VmError } from "../../Vm.ts"
import { removeCaptureSocket } from "./capture.ts"
import { connectQemu, makeVm } from "./connect-vm.ts"
import { type MachineSpec, processName } from "./machine.ts"
import { adoptQemu } from "./qemu-process.ts"
import type { Qmp } from "./qmp.ts"

const refused = (detail: string) => new VmFailed({ step: "attach", detail, consoleTail: "" })

/** How long one process waits for another that is just taking the same VM. */
const takeTimeoutMs = 5_000

/** A record with all that it takes to go on with its VM. */
interface Attachable extends VmRecord {
  readonly qemu: ProcessIdentity
  readonly machine: MachineSpec
  readonly disks: DiskState
}

/** That very process, still started with the VM's name. */
const isQemuOf = (record: Attachable) =>
  isAlive(record.qemu) && processesWithArgument(processName(record.id)).some(({ pid }) => pid === record.qemu.pid)

const attachable = (id: VmId, found: Option.Option<VmRecord>): Effect.Effect<Attachable, VmFailed> => {
  if (Option.isNone(found)) return refused(`there is no VM ${id}`)
  const { disks, machine, qemu, ...record } = found.value
  if (isAlive(record.owner)) return refused(`process ${record.owner.pid} answers for ${id}`)
  if (record.purpose !== "workspace" || record.dieWithOwner !== false) {
    return refused(`${id} serves "${record.purpose}" and ends with the process that made it`)
  }
  if (disks === undefined || machine === undefined || qemu === undefined) {
    return refused(`${id} was never finished`)
  }
  const complete = { ...record, disks, machine, qemu }
  return isQemuOf(complete) ? Effect.succeed(complete) : refused(`the QEMU of ${id} is gone`)
}

/** Makes this process the owner. Of two that come at once one gets it, the other finds it owned. */
const takeOver = (id: VmId, paths: VmPaths) =>
  Effect.gen(function*() {
    const record = yield* attachable(id, yield* Effect.mapError(readRecord(paths), failedAt("attach")))
    const taken: Attachable = { ...record, owner: ownIdentity() }
    yield* writeRecord(paths, taken).pipe(
      // Only who has the workspaces attaches to their VMs: on a full disk that has to do.
      Effect.catchIf(({ cause }) => isDiskFull(cause), (failure) =>
        Effect.logWarning(`${id} is taken over without a word of it: ${failure.message}`)),
      Effect.mapError(failedAt("attach"))
    )
    return taken
  }).pipe(
    withLock(path.join(paths.directory, "owner.lock"), { timeoutMs: takeTimeoutMs }),
    Effect.catchTag("LockTimeout", (cause) =>
      failedAt("attach")(cause))
  )

/** Which images QEMU has under the workspace disk and the baseline, when a crash came in the middle of a switch. */
const settleDisks = (record: Attachable, qmp: Qmp): Effect.Effect<DiskState, VmFailed> =>
  Effect.gen(function*() {
    if (record.nextDisks === undefined) return record.disks
    const nodeUnder = (device: string) =>
      qmp.execute("qom-get", { path: `/machine/peripheral/${device}`, property: "drive" }).pipe(
        Effect.mapError(failedAt("attach"))
      )
    const disk = yield* nodeUnder("vdb")
    const baseline = yield* nodeUnder("vdc")
    const fits = (state: DiskState) => state.overlayNodes.at(-1) === disk && state.seedNode === baseline
    if (fits(record.nextDisks)) return record.nextDisks
    // What was opened for the switch may be open still, under its name.
    if (fits(record.disks)) return { ...record.disks, next: record.nextDisks.next }
    return yield* refused(`its disks were being switched, and are ${String(disk)} and ${String(baseline)}`)
  })

/** What the guest did while nobody listened to QEMU's events. */
const currentStatus = (qmp: Qmp) =>
  qmp.execute("query-status").pipe(
    Effect.map((answer) => String((answer as { readonly status?: unknown }).status)),
    Effect.mapError(failedAt("attach"))
  )

/**
 * Goes on with a workspace's VM that another process has started and that has lost its owner, or was left: from now on it is this
 * process's, and ends with the Scope. Only a QEMU that is certainly the one of the record is touched. A VM that cannot be attached to
 * stays as it is.
 */
export const attachVm = (id: VmId): Effect.Effect<Vm, VmError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const paths = vmPaths(yield* Paths, id)
    if (!fs.existsSync(paths.directory)) return yield* refused(`there is no VM ${id}`)
    const record = yield* takeOver(id, paths)
    const ownership = yield* makeOwnership(paths, record)
    // In the order in which whoever made it acquired them: QEMU ends before what it uses goes.
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeFolder(paths)))
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeMemory(paths)))
    yield* removeCaptureSocket(paths.directory)
    const qemu = yield* adoptQemu(ownership, record.qemu)
    return yield* Effect.gen(function*() {
      const connections = yield* connectQemu(ownership, qemu)
      yield* Effect.forkScoped(qemu.watch(connections.qmp.closed))
      const disks = yield* settleDisks(record, connections.qmp)
      if (record.nextDisks !== undefined) yield* ownership.update(({ nextDisks: _, ...now }) => ({ ...now, disks }))
      const status = yield* currentStatus(connections.qmp)
      const vm = yield* makeVm({ ownership, qemu, connections, spec: record.machine, disks, status })
      // A crash in the middle of a capture leaves the guest stopped.
      if (status === "paused" || status === "postmigrate") yield* vm.resume
      return vm
    }).pipe(Effect.onError(() => Effect.ignoreLogged(ownership.leave)))
  })
