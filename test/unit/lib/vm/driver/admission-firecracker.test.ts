import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { admit } from "../../../../../src/lib/vm/driver/admission.ts"
import type { DriverName } from "../../../../../src/lib/vm/model/guest.ts"
import type { MachineSpec } from "../../../../../src/lib/vm/model/machine.ts"
import { newRecord, newVmId, vmPaths, type VmRecord, writeRecord } from "../../../../../src/lib/vm/model/record.ts"
import { Paths } from "../../../../../src/system/files/Paths.ts"
import { ownIdentity } from "../../../../../src/system/processes/identity.ts"
import { temporaryDirectory } from "../../disk/temporary-directory.ts"

const spec: MachineSpec = {
  accelerator: "kvm",
  vcpuCount: 1,
  memoryMib: 1,
  tscKhz: 1,
  environment: { digest: "e", imagePath: "/e" },
  kernel: { digest: "k", vmlinux: "/v", initrd: "/i" }
}

/** More than any host or memory store has. */
const tooMuch = 1_000_000_000

const record = (driver: DriverName, memoryMib: number, more: Partial<VmRecord> = {}) =>
  newRecord({
    createdAt: "1970-01-01T00:00:00.000Z",
    id: newVmId(),
    purpose: "workspace",
    uid: 0,
    memoryMib,
    vcpuCount: 1,
    machine: driver === "firecracker" ? { ...spec, driver } : spec,
    ...more
  })

/** Lets VMs in beside others. */
const admitted = (records: ReadonlyArray<VmRecord>, beside: ReadonlyArray<VmRecord> = []) =>
  Effect.gen(function*() {
    const folder = yield* temporaryDirectory
    const paths = { stateDir: folder, cacheDir: folder, memoryDir: folder } as Paths["Service"]
    for (const other of beside) {
      const place = vmPaths(paths, other.id)
      fs.mkdirSync(place.directory, { recursive: true })
      yield* writeRecord(place, other)
    }
    return yield* Effect.provideService(admit(records), Paths, paths)
  })

const noStore = { _tag: "NoSpace", where: "memory store" } as const
const noMemory = { _tag: "AdmissionRefused", resource: "memory" } as const

describe("admission of VMs with Firecracker", () => {
  it.live("a VM with Firecracker needs no room in the memory store, and one with QEMU does", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* Effect.flip(admitted([record("qemu", tooMuch)])), noStore)
      assert.deepInclude(yield* Effect.flip(admitted([record("firecracker", tooMuch)])), noMemory)
      yield* admitted([record("firecracker", 1)])
    }))

  it.live("a running VM with Firecracker has a promise of the host's memory only", () =>
    Effect.gen(function*() {
      const running = { process: ownIdentity() }
      const beside = (driver: DriverName) => admitted([record("qemu", 1)], [record(driver, tooMuch, running)])
      assert.deepInclude(yield* Effect.flip(beside("qemu")), noStore)
      assert.deepInclude(yield* Effect.flip(beside("firecracker")), noMemory)
    }))

  it.live("a full memory store keeps out no VM with Firecracker", () =>
    Effect.gen(function*() {
      const beside = [record("qemu", tooMuch, { process: ownIdentity() })]
      assert.deepInclude(yield* Effect.flip(admitted([record("firecracker", 1)], beside)), noMemory)
    }))

  it.live("a VM with QEMU that shares a memory needs no room in the memory store, and may write to all of it", () =>
    Effect.gen(function*() {
      const shares = { sharedBytes: 1 }
      assert.deepInclude(yield* Effect.flip(admitted([record("qemu", tooMuch, shares)])), noMemory)
      const running = { ...shares, process: ownIdentity() }
      const beside = (memoryMib: number) => admitted([record("qemu", 1)], [record("qemu", memoryMib, running)])
      yield* beside(1)
      assert.deepInclude(yield* Effect.flip(beside(tooMuch)), noMemory)
    }))

  it.live("what a running Firecracker has of its own is no promise any more", () =>
    Effect.gen(function*() {
      // This process stands for a Firecracker that has touched all of its memory.
      yield* admitted([record("firecracker", 1)], [record("firecracker", 1, { process: ownIdentity() })])
    }))

  it.live("of VMs with both drivers, those with QEMU need room in the memory store", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(admitted([record("firecracker", 7), record("qemu", tooMuch)]))
      assert.deepInclude(failure, { ...noStore, neededMib: tooMuch })
    }))

  it.live("a VM whose process is gone has no promise", () =>
    Effect.gen(function*() {
      const gone = { process: { ...ownIdentity(), startTicks: 1 } }
      yield* admitted([record("firecracker", 1)], [record("firecracker", tooMuch, gone)])
    }))
})
