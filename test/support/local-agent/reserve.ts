import { Effect, type Scope } from "effect"
import type { NoSpace, VmFailed } from "../../../src/contract/errors/errors.ts"
import type { DiskSource } from "../../../src/lib/disk/workspace-disk.ts"
import { removeMemory } from "../../../src/lib/vm/driver/memory.ts"
import { acquireFolder, type Ownership } from "../../../src/lib/vm/driver/ownership.ts"
import type { MachineSpec } from "../../../src/lib/vm/model/machine.ts"
import { newRecord, newVmId, vmPaths, type VmPurpose, type VmRecord } from "../../../src/lib/vm/model/record.ts"
import type { Vm, VmError } from "../../../src/lib/vm/model/Vm.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { nowIso } from "../../../src/system/waits/time.ts"
import { startAgent } from "./agent-process.ts"
import { directoriesOf, sweepDirectories } from "./directories.ts"
import { placeDisk } from "./disks.ts"
import { identityOf } from "./identity.ts"
import { makeVm } from "./local-vm.ts"
import type { LocalAgentOptions } from "./options.ts"
import { makeVolatile, restoreVolatile } from "./volatile.ts"

/** A VM that is announced, and of which nothing is made yet. */
export interface Reservation {
  readonly record: VmRecord
  readonly ownership: Ownership
  readonly spec: MachineSpec
  readonly dieWithParent: boolean
}

/** Records that a VM is to be. The Scope removes what exists of the VM, and what the VM was the last to use. */
export const reserveVm = (request: {
  readonly purpose: VmPurpose
  readonly spec: MachineSpec
  readonly dieWithParent: boolean
}): Effect.Effect<Reservation, VmFailed | NoSpace, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const { dieWithParent, purpose, spec } = request
    const all = yield* Paths
    const id = newVmId()
    const paths = vmPaths(all, id)
    const record = newRecord({
      createdAt: yield* nowIso,
      id,
      purpose,
      memoryMib: spec.memoryMib,
      vcpuCount: spec.vcpuCount,
      uid: process.getuid?.() ?? 0,
      machine: spec,
      dieWithOwner: dieWithParent
    })
    yield* Effect.addFinalizer(() => sweepDirectories(directoriesOf(all)))
    const ownership = yield* acquireFolder(paths, record)
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeMemory(paths)))
    return { record, ownership, spec, dieWithParent }
  })

/** Starts the agent of a reserved VM. `memory` is a captured memory to go on from. */
export const startReserved = (
  { dieWithParent, ownership, spec }: Reservation,
  options: LocalAgentOptions,
  { disk, memory }: { readonly disk: DiskSource; readonly memory: string | undefined }
): Effect.Effect<Vm, VmError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const directories = directoriesOf(yield* Paths)
    const visible = yield* placeDisk(directories, ownership.paths, disk)
    yield* makeVolatile(ownership.paths)
    if (memory !== undefined) {
      yield* Effect.andThen(restoreVolatile(ownership.paths, memory), removeMemory(ownership.paths))
    }
    const agent = yield* startAgent({ ownership, directories: visible, options, dieWithParent })
    return yield* makeVm({
      ownership,
      agent,
      directories,
      spec,
      identity: identityOf(spec, options),
      hasMemoryPoints: options.hasMemoryPoints === true
    })
  })
