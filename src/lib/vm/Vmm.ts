import { Context, Effect, Layer, Option } from "effect"
import { Paths } from "../../system/files/Paths.ts"
import { makeFirecrackerVmm } from "./driver/firecracker/vmm.ts"
import { makeQemuVmm } from "./driver/qemu/vmm.ts"
import type { DriverName, DriverService, VmmService } from "./model/guest.ts"
import { readRecord, type VmId, vmPaths } from "./model/record.ts"

/** Both drivers as one service: a request names its driver, and a VM keeps the driver that made it. */
const makeDrivers = Effect.gen(function*() {
  const paths = yield* Paths
  const drivers: Readonly<Record<DriverName, DriverService>> = {
    qemu: yield* makeQemuVmm,
    firecracker: yield* makeFirecrackerVmm
  }
  const of = (driver: DriverName = "qemu") => drivers[driver]
  const driverOf = (id: VmId) =>
    readRecord(vmPaths(paths, id)).pipe(
      Effect.map(Option.match({ onNone: () => of(), onSome: ({ machine }) => of(machine?.driver) })),
      // The driver reads it again, and says what is wrong.
      Effect.orElseSucceed(() => of())
    )
  const service: VmmService = {
    ...drivers.qemu,
    on: of,
    restore: (request) => of(request.driver).restore(request),
    identity: (spec, images, seed) => of(spec.driver).identity(spec, images, seed),
    reserve: (request) => of(request.spec.driver).reserve(request),
    attach: (id, options) => Effect.flatMap(driverOf(id), (driver) => driver.attach(id, options))
  }
  return service
})

/** Makes guests. */
export class Vmm extends Context.Service<Vmm, VmmService>()("pyro/vm/Vmm") {
  /** QEMU's microvm machine, and Firecracker. */
  static readonly layer = Layer.effect(Vmm, makeDrivers)
}
