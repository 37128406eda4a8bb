import { Effect, type Scope } from "effect"
import type { VmFailed } from "../../../../contract/errors/errors.ts"
import { exists } from "../../../../system/files/entries.ts"
import { Paths } from "../../../../system/files/Paths.ts"
import { failedAt } from "../../model/failure.ts"
import { type DiskState, type VmId, vmPaths } from "../../model/record.ts"
import type { VmError } from "../../model/Vm.ts"
import { adopt, type Attachable, refused } from "../adopt.ts"
import { removeMemory } from "../memory.ts"
import { makeOwnership, removeFolder } from "../ownership.ts"
import { adoptVmm } from "../vmm-process.ts"
import { removeCaptureSocket } from "./capture.ts"
import { connectQemu, makeVm } from "./connect-vm.ts"
import { awaitsCont } from "./continue.ts"
import type { BothFaces } from "./qemu-vm.ts"
import type { Qmp } from "./qmp.ts"

/** A record with the disks that its QEMU has open. */
interface WithDisks extends Attachable {
  readonly disks: DiskState
}

/** A record has the disks before it has the QEMU. */
const withDisks = (record: Attachable): Effect.Effect<WithDisks, VmFailed> =>
  record.disks === undefined
    ? refused(`${record.id} was never finished`)
    : Effect.succeed({ ...record, disks: record.disks })

/** Finds which images QEMU has under the workspace disk and the baseline after a crash during a switch. */
const settleDisks = (record: WithDisks, qmp: Qmp): Effect.Effect<DiskState, VmFailed> =>
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
    // Images of the switch may still be open under their names.
    if (fits(record.disks)) return { ...record.disks, next: record.nextDisks.next }
    return yield* refused(`its disks were being switched, and are ${String(disk)} and ${String(baseline)}`)
  })

/** Status of the guest after a time without a listener to QEMU's events. */
const currentStatus = (qmp: Qmp) =>
  qmp.execute("query-status").pipe(
    Effect.map((answer) => String((answer as { readonly status?: unknown }).status)),
    Effect.mapError(failedAt("attach"))
  )

/**
 * Attaches to a workspace's VM that another process has started and that has no owner now. This process then owns it, and the Scope ends
 * it. Only a QEMU that is certainly the record's is used. A VM that cannot be attached to stays unchanged.
 */
export const attachVm = (id: VmId): Effect.Effect<BothFaces, VmError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const paths = vmPaths(yield* Paths, id)
    if (!exists(paths.directory)) return yield* refused(`there is no VM ${id}`)
    const record = yield* Effect.flatMap(adopt(id, paths, "QEMU"), withDisks)
    const ownership = yield* makeOwnership(paths, record)
    // In the order of the VM's start: QEMU ends before the files that it uses are removed.
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeFolder(paths)))
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeMemory(paths)))
    yield* removeCaptureSocket(paths.directory)
    const qemu = yield* adoptVmm(ownership, record.process)
    return yield* Effect.gen(function*() {
      const connections = yield* connectQemu(ownership, qemu)
      yield* Effect.forkScoped(qemu.watch(connections.qmp.closed))
      const disks = yield* settleDisks(record, connections.qmp)
      if (record.nextDisks !== undefined) yield* ownership.update(({ nextDisks: _, ...now }) => ({ ...now, disks }))
      const status = yield* currentStatus(connections.qmp)
      const vm = yield* makeVm({ ownership, qemu, connections, spec: record.machine, disks, status })
      // A crash during a capture leaves the guest paused.
      if (awaitsCont(status)) yield* vm.resume
      return vm
    }).pipe(Effect.onError(() => Effect.ignoreCause(ownership.leave)))
  })
