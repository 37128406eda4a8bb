import { Effect, type Scope } from "effect"
import { openFile } from "../../../../system/files/content.ts"
import type { Paths } from "../../../../system/files/Paths.ts"
import { asStep } from "../../../../system/telemetry/spans.ts"
import type { DiskSource } from "../../../disk/workspace-disk.ts"
import type { Confinement } from "../../model/confinement.ts"
import { failedAt } from "../../model/failure.ts"
import type { Frozen, MachineSpec } from "../../model/machine.ts"
import type { VmPurpose } from "../../model/record.ts"
import type { SharedMemory, VmError } from "../../model/Vm.ts"
import { admit } from "../admission.ts"
import { emptyMemory, growEmpty } from "../memory.ts"
import { type Reservation, reserveVm } from "../reserve.ts"
import { inheritedAt } from "../vmm-process.ts"
import { awaitMigration } from "./capture.ts"
import { connectQemu, makeVm } from "./connect-vm.ts"
import { placeDisk, placeResult } from "./disks.ts"
import { firstDiskState } from "./live-disks.ts"
import { startQemu } from "./qemu-process.ts"
import type { BothFaces } from "./qemu-vm.ts"
import type { Qmp } from "./qmp.ts"

interface VmRequest {
  readonly purpose: VmPurpose
  readonly spec: MachineSpec
  readonly qemuProgram: string
  /** Build of QEMU: no other build can read its state. */
  readonly qemuBuild: string
  readonly confinement: Confinement
  readonly disk: DiskSource
  /** Frozen memory and device state to continue from. Undefined: boot the kernel. */
  readonly frozen: Frozen | undefined
  /** The VM ends with this process. False: it continues, and another process may attach to it. */
  readonly dieWithParent: boolean
  /** File for the guest's result, if the machine has a disk for it. Undefined: an empty one that goes with the VM. */
  readonly resultFile?: string | undefined
  /** Bytes of the memory that it shares. Undefined: it gets a memory file of its own. */
  readonly sharedBytes?: number | undefined
}

/** A QEMU that is recorded, but not yet made. */
export interface QemuReservation extends Reservation {
  readonly request: ReserveRequest
}
type ReserveRequest = Omit<VmRequest, "disk" | "frozen">

/** Records a future QEMU. */
export const reserveQemu = (request: ReserveRequest) =>
  Effect.map(
    reserveVm({ ...request, level: request.confinement.level, build: request.qemuBuild }),
    (reservation): QemuReservation => ({ ...reservation, request })
  )

/** Starts a reserved VM. It continues from the state in `statePath`, or boots its kernel. */
export const startReserved = (
  { record, request, ownership }: QemuReservation,
  { disk, memoryPath, overlayPath, shared, statePath }: {
    readonly disk: DiskSource
    readonly statePath: string | undefined
    /** Frozen memory that is copied into its own. Undefined: its memory file exists. */
    readonly memoryPath?: string | undefined
    /** Memory that it shares. Undefined: it has a file. */
    readonly shared?: SharedMemory | undefined
    /** First content of its empty overlay (`Frozen.overlayPath`). */
    readonly overlayPath?: string | undefined
  }
): Effect.Effect<BothFaces, VmError, Scope.Scope> =>
  Effect.gen(function*() {
    const { paths } = ownership
    const { spec } = request
    const isInState = shared === undefined && statePath !== undefined && (yield* growEmpty(paths, record))
    const disks = firstDiskState(yield* placeDisk(paths, record.uid, disk, 0, overlayPath), disk.seed.virtualBytes)
    yield* placeResult(paths, record.uid, spec, request.resultFile)
    const qemu = yield* startQemu({
      qemu: request.qemuProgram,
      spec,
      ownership,
      record,
      level: request.confinement.level,
      disks,
      memoryPath,
      stateDescriptor: statePath === undefined ? undefined : yield* openForReading(statePath),
      sharedDescriptor: shared?.descriptor,
      dieWithParent: request.dieWithParent
    }).pipe(asStep("QEMU process"))
    const connections = yield* connectQemu(ownership, qemu).pipe(asStep("QEMU connections"))
    const vm = yield* makeVm({ ownership, qemu, connections, spec, disks })
    if (statePath !== undefined) {
      yield* thaw(vm.qmp, isInState ? record.memoryMib : 0).pipe(
        asStep("device state"),
        Effect.raceFirst(vm.health.failure),
        Effect.mapError(failedAt("restore"))
      )
    }
    return vm
  })

/**
 * Makes a VM: record, admission, disks, memory, QEMU, and releases them in the reverse order. A frozen guest waits for `resume`; another
 * one boots at once.
 */
export const acquireVm = (
  { disk, frozen, ...request }: VmRequest
): Effect.Effect<BothFaces, VmError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const reserved = yield* reserveQemu(request)
    yield* admit([reserved.record])
    if (frozen === undefined) yield* emptyMemory(reserved.ownership.paths, reserved.record)
    return yield* startReserved(reserved, {
      disk,
      memoryPath: frozen?.memoryPath,
      statePath: frozen?.statePath,
      overlayPath: frozen?.overlayPath
    })
  })

const openForReading = (file: string) => Effect.mapError(openFile(file, "r"), failedAt("restore"))

/** Reads the frozen state from the inherited descriptor: devices, and so many MiB of memory. Other memory is in its place already. */
const thaw = (qmp: Qmp, memoryMib: number) =>
  Effect.gen(function*() {
    yield* qmp.executeAll([
      ["migrate-set-capabilities", {
        capabilities: [
          { capability: "x-ignore-shared", state: memoryMib === 0 },
          { capability: "events", state: true }
        ]
      }],
      ["migrate-incoming", { uri: `fd:${inheritedAt}` }]
    ])
    yield* awaitMigration(qmp, "restore", memoryMib)
  })
