import { Effect, type Scope } from "effect"
import type { NoSpace, VmFailed } from "../../../contract/errors/errors.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { nowIso } from "../../../system/waits/time.ts"
import { chooseVmUid, type ConfinementLevel } from "../model/confinement.ts"
import type { MachineSpec } from "../model/machine.ts"
import { newRecord, newVmId, vmPaths, type VmPurpose, type VmRecord } from "../model/record.ts"
import { removeMemory } from "./memory.ts"
import { acquireFolder, type Ownership } from "./ownership.ts"

/** A VM that is recorded, but not yet made. */
export interface Reservation {
  readonly record: VmRecord
  readonly ownership: Ownership
}

interface ReserveRequest {
  readonly purpose: VmPurpose
  readonly spec: MachineSpec
  readonly level: ConfinementLevel
  /** Build of the VMM: no other build can read its state. */
  readonly build: string
  /** The VM ends with this process. False: it continues, and another process may attach to it. */
  readonly dieWithParent: boolean
  /** Bytes of the memory that it shares (`VmRecord.sharedBytes`). */
  readonly sharedBytes?: number | undefined
}

/** Records a future VM. The Scope removes the VM's memory file, whatever process makes it. */
export const reserveVm = (
  { build, dieWithParent, level, purpose, sharedBytes, spec }: ReserveRequest
): Effect.Effect<Reservation, VmFailed | NoSpace, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const id = newVmId()
    const paths = vmPaths(yield* Paths, id)
    const record = newRecord({
      createdAt: yield* nowIso,
      id,
      purpose,
      memoryMib: spec.memoryMib,
      vcpuCount: spec.vcpuCount,
      uid: chooseVmUid(level),
      machine: spec,
      vmmBuild: build,
      confinement: level,
      dieWithOwner: dieWithParent,
      ...(sharedBytes === undefined ? {} : { sharedBytes })
    })
    const ownership = yield* acquireFolder(paths, record)
    yield* Effect.addFinalizer(() => ownership.unlessLeft(removeMemory(paths)))
    return { record, ownership }
  })
