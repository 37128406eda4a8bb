import { Effect, type Scope } from "effect"
import * as path from "node:path"
import type { Paths } from "../../../../system/files/Paths.ts"
import { asStep } from "../../../../system/telemetry/spans.ts"
import type { DiskSource } from "../../../disk/workspace-disk.ts"
import type { Confinement } from "../../model/confinement.ts"
import { failedAt, vmFailed } from "../../model/failure.ts"
import type { Frozen, MachineSpec } from "../../model/machine.ts"
import type { VmPurpose } from "../../model/record.ts"
import type { VmError } from "../../model/Vm.ts"
import { admit } from "../admission.ts"
import { type Reservation, reserveVm } from "../reserve.ts"
import { connectApi } from "./api.ts"
import { demandSpace } from "./full-disk.ts"
import { boot, load, machineOf, names } from "./machine.ts"
import { startFirecracker } from "./process.ts"
import { placeDisk, placeImage } from "./store.ts"
import { type FirecrackerVm, makeVm } from "./vm.ts"

/** Parts that every VM of this host's Firecracker starts with. */
export interface Firecracker {
  readonly program: string
  readonly build: string
  readonly confinement: Confinement
}

interface ReserveRequest {
  readonly host: Firecracker
  readonly purpose: VmPurpose
  readonly spec: MachineSpec
  readonly dieWithParent: boolean
}

/** A Firecracker that is recorded, but not yet started. */
export interface FirecrackerReservation extends Reservation {
  readonly request: ReserveRequest
}

/** Records a future Firecracker. */
export const reserveFirecracker = (request: ReserveRequest) =>
  Effect.map(
    reserveVm({ ...request, level: request.host.confinement.level, build: request.host.build }),
    (reservation): FirecrackerReservation => ({ ...reservation, request })
  )

/** Starts a reserved VM. It continues from a frozen one, and stays paused; or it boots its kernel. */
export const startReserved = (
  { ownership, record, request }: FirecrackerReservation,
  { disk, frozen }: { readonly disk: DiskSource; readonly frozen: Frozen | undefined }
): Effect.Effect<FirecrackerVm, VmError, Scope.Scope> =>
  Effect.gen(function*() {
    const { dieWithParent, host, spec } = request
    const { paths } = ownership
    yield* demandSpace(paths.directory)
    yield* placeDisk(paths, record.uid, disk, frozen?.overlayPath).pipe(asStep("disk"))
    if (frozen !== undefined) {
      if (frozen.memoryPath !== path.join(paths.directory, names.memory)) {
        yield* placeImage(paths, frozen.memoryPath, names.memory)
      }
      yield* placeImage(paths, frozen.statePath, names.state)
    }
    const firecracker = yield* startFirecracker({
      program: host.program,
      spec,
      ownership,
      record,
      level: host.confinement.level,
      dieWithParent
    }).pipe(asStep("Firecracker process"))
    const api = yield* connectApi(path.join(paths.directory, names.apiSocket)).pipe(
      asStep("Firecracker API"),
      Effect.raceFirst(
        Effect.flatMap(firecracker.ended, (how) => Effect.fail(vmFailed("start", `Firecracker ended: ${how}`)))
      )
    )
    const virtualBytes = disk.seed.virtualBytes
    const isFrozen = frozen !== undefined
    const vm = yield* makeVm({
      ownership,
      firecracker,
      api,
      spec,
      virtualBytes,
      isTracked: isFrozen,
      isPaused: isFrozen
    })
    yield* ownership.update((now) => ({ ...now, virtualBytes, isTracked: isFrozen }))
    const requests = frozen === undefined ? [...machineOf(spec), boot] : [load]
    yield* api.send(frozen === undefined ? "start" : "restore", ...requests).pipe(
      asStep("device state"),
      Effect.raceFirst(vm.health.failure),
      Effect.mapError(failedAt(frozen === undefined ? "start" : "restore"))
    )
    return vm
  })

/** Makes a VM: record, admission, disk, Firecracker, and releases them in the reverse order. */
export const acquireVm = (
  { disk, frozen, ...request }: ReserveRequest & { readonly disk: DiskSource; readonly frozen: Frozen | undefined }
): Effect.Effect<FirecrackerVm, VmError, Scope.Scope | Paths> =>
  Effect.gen(function*() {
    const reserved = yield* reserveFirecracker(request)
    yield* admit([reserved.record])
    return yield* startReserved(reserved, { disk, frozen })
  })
