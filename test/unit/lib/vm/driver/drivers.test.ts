import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { DriverName, GuestImages, RestoreRequest, VmmService } from "../../../../../src/lib/vm/model/guest.ts"
import { HostFacts } from "../../../../../src/lib/vm/model/HostFacts.ts"
import type { MachineSpec } from "../../../../../src/lib/vm/model/machine.ts"
import { newRecord, newVmId, nobody, vmPaths, writeRecord } from "../../../../../src/lib/vm/model/record.ts"
import { Vmm } from "../../../../../src/lib/vm/Vmm.ts"
import { Paths } from "../../../../../src/system/files/Paths.ts"
import { ownIdentity } from "../../../../../src/system/processes/identity.ts"
import { ProcessVariables } from "../../../../../src/system/settings/config.ts"
import { temporaryDirectory } from "../../disk/temporary-directory.ts"

const images: GuestImages = {
  environment: { name: "e", digest: "e", imagePath: "/e" },
  kernel: { digest: "k", vmlinux: "/v", initrd: "/i" }
}
const seed = { path: "/seed", virtualBytes: 1 << 20, digest: "s" }
const specOf = (driver: DriverName): MachineSpec => ({
  ...(driver === "firecracker" && { driver }),
  accelerator: "kvm",
  vcpuCount: 1,
  memoryMib: 256,
  tscKhz: 1,
  environment: images.environment,
  kernel: images.kernel
})
const requestOf = (driver: DriverName | undefined) =>
  ({
    driver,
    purpose: "run",
    images,
    vcpuCount: 1,
    memoryMib: 256,
    placeholder: seed,
    seed,
    dieWithParent: true
  }) as unknown as RestoreRequest

/** Both drivers of a host that has neither program, each of which says so in its own way. */
const drivers = <A, E>(use: (vmm: VmmService, paths: Paths["Service"]) => Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const folder = yield* temporaryDirectory
    const paths = { stateDir: folder, cacheDir: folder, memoryDir: path.join(folder, "memory") } as Paths["Service"]
    const layer = Vmm.layer.pipe(Layer.provide(HostFacts.layer), Layer.provide(Layer.succeed(Paths, paths)))
    return yield* Effect.provide(Effect.flatMap(Vmm, (vmm) => use(vmm, paths)), layer)
  }).pipe(
    Effect.provideService(ProcessVariables, {
      PYRO_QEMU: "/no/such/qemu",
      PYRO_FIRECRACKER: "/no/such/firecracker"
    })
  )

const failing = <A, E extends Error, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.map(Effect.flip(effect), (failure): object & { readonly message: string } => failure))

/** Fields of each driver's refusal. */
const refusals: Readonly<Record<DriverName, object>> = {
  qemu: { _tag: "HostToolMissing" },
  firecracker: { _tag: "DriverUnavailable", driver: "Firecracker" }
}

describe("both drivers as one service", () => {
  it.live("a new guest is of the requested driver, and of QEMU by default", () =>
    drivers((vmm) =>
      Effect.gen(function*() {
        for (const driver of ["qemu", "firecracker", undefined] as const) {
          const failure = yield* failing(vmm.restore(requestOf(driver)))
          assert.deepInclude(failure, refusals[driver ?? "qemu"])
        }
      })
    ))

  it.live("a captured guest continues on the driver of its spec", () =>
    drivers((vmm) =>
      Effect.gen(function*() {
        for (const driver of ["qemu", "firecracker"] as const) {
          const spec = specOf(driver)
          const reserved = vmm.reserve({ purpose: "workspace", spec, images, seed, dieWithParent: false })
          assert.deepInclude(yield* failing(reserved), refusals[driver])
          assert.deepInclude(yield* failing(vmm.identity(spec, images, seed)), refusals[driver])
        }
      })
    ))

  it.live("`on` gives a driver, and the service's own program is QEMU's", () =>
    drivers((vmm) =>
      Effect.gen(function*() {
        assert.deepInclude(yield* failing(vmm.program), refusals.qemu)
        assert.deepInclude(yield* failing(vmm.on().program), refusals.qemu)
        assert.deepInclude(yield* failing(vmm.on("qemu").program), refusals.qemu)
        const failure = yield* failing(vmm.on("firecracker").program)
        assert.deepInclude(failure, refusals.firecracker)
        assert.include(failure.message, "/no/such/firecracker does not exist")
      })
    ))

  it.live("a VM is attached to by the driver of its record", () =>
    drivers((vmm, paths) =>
      Effect.gen(function*() {
        for (const [driver, program] of [["qemu", "QEMU"], ["firecracker", "Firecracker"]] as const) {
          const id = newVmId()
          const place = vmPaths(paths, id)
          fs.mkdirSync(place.directory, { recursive: true })
          const record = newRecord({
            createdAt: "1970-01-01T00:00:00.000Z",
            id,
            purpose: "workspace",
            memoryMib: 256,
            vcpuCount: 1,
            uid: 0,
            machine: specOf(driver),
            process: { ...ownIdentity(), startTicks: 1 },
            dieWithOwner: false
          })
          yield* writeRecord(place, { ...record, owner: nobody() })
          const failure = yield* failing(vmm.attach(id))
          assert.deepInclude(failure, { _tag: "VmFailed", step: "attach" } as object)
          assert.include(failure.message, `the ${program} of ${id} is gone`)
        }
        const id = newVmId()
        assert.include((yield* failing(vmm.attach(id))).message, `there is no VM ${id}`)
      })
    ))

  it.live("Firecracker has no disk for a result, so a guest with one is refused", () =>
    drivers((vmm) =>
      Effect.gen(function*() {
        const failure = yield* failing(vmm.restore({ ...requestOf("firecracker"), result: { file: "/r", mib: 1 } }))
        assert.deepInclude(failure, refusals.firecracker)
        assert.include(failure.message, "disk for a result")
      })
    ))
})
