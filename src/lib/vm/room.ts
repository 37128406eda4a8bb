import { Effect, Option } from "effect"
import type { AdmissionRefused, NoSpace, StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { Paths } from "../../system/files/Paths.ts"
import { admit } from "./driver/admission.ts"
import type { DriverName } from "./model/guest.ts"
import { newVmId } from "./model/record.ts"
import { Pool } from "./Pool.ts"

/** Sizes of a microVM that comes after long work. */
export interface FutureVm {
  readonly driver: DriverName
  readonly memoryMib: number
  readonly vcpuCount: number
}

/** Fails where a microVM would be refused. */
export type DemandRoom = Effect.Effect<void, AdmissionRefused | NoSpace | StateDirectoryUnusable>

/**
 * A look whether the host would admit a microVM now, for use before a build or pull that takes minutes. It reserves nothing, so the admission may
 * still refuse the microVM. Where the process has a pool, the members of the pool make room.
 */
export const roomFor = (vm: FutureVm): Effect.Effect<DemandRoom, never, Paths> =>
  Effect.gen(function*() {
    const paths = yield* Paths
    const pool = Option.getOrUndefined(yield* Effect.serviceOption(Pool))
    const look = Effect.suspend(() => admit([{ ...vm, id: newVmId(), machine: vm }])).pipe(
      Effect.provideService(Paths, paths)
    )
    return pool === undefined ? look : pool.withRoom(look)
  })
