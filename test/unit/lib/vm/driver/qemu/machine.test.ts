import { assert, describe, it } from "@effect/vitest"
import { templateKey } from "../../../../../../src/lib/vm/driver/qemu/identity.ts"
import { kernelCommandLine, qemuArguments } from "../../../../../../src/lib/vm/driver/qemu/machine.ts"
import { newGuestIdentity } from "../../../../../../src/lib/vm/model/guest-steps.ts"
import type { MachineSpec } from "../../../../../../src/lib/vm/model/machine.ts"
import { newFolderName, newVmId, parseNewFolder } from "../../../../../../src/lib/vm/model/record.ts"

const spec: MachineSpec = {
  accelerator: "tcg",
  vcpuCount: 1,
  memoryMib: 512,
  tscKhz: 2_596_144,
  environment: { digest: "e", imagePath: "/e" },
  kernel: { digest: "k", vmlinux: "/v", initrd: "/i" }
}
const gib = 1024 ** 3
const keyOf = (one: MachineSpec, virtualBytes = 16 * gib, mounted?: string) =>
  templateKey(one, process.execPath, { virtualBytes, mounted })

describe("machine", () => {
  it("a guest under KVM has ASLR and its own clock", () => {
    assert.include(kernelCommandLine(spec), "norandmaps")
    assert.include(kernelCommandLine(spec), "tsc_early_khz=2596144")
    const kvm = kernelCommandLine({ ...spec, accelerator: "kvm" })
    assert.notInclude(kvm, "norandmaps")
    assert.notInclude(kvm, "tsc")
  })

  it("a machine has a disk for a result after the others, if it is asked for, and another template for each size", () => {
    const argumentsOf = (one: MachineSpec) =>
      qemuArguments(one, "x", { overlays: ["o"], seed: "s" }, { incoming: false })
    const disksOf = (one: MachineSpec) =>
      argumentsOf(one).flatMap((text) => /^virtio-blk-device,id=(\w+)/.exec(text)?.[1] ?? [])
    assert.deepStrictEqual(disksOf(spec), ["vda", "vdb", "vdc"])
    assert.deepStrictEqual(disksOf({ ...spec, resultMib: 64 }), ["vda", "vdb", "vdc", "vdd"])
    assert.include(argumentsOf({ ...spec, resultMib: 64 }).join(" "), `"size":${64 * 1024 * 1024}`)
    const keys = [spec, { ...spec, resultMib: 64 }, { ...spec, resultMib: 65 }].map((one) => keyOf(one))
    assert.strictEqual(new Set(keys).size, 3)
  })

  it("QEMU's arguments name the whole chain of the workspace disk, oldest first, and only the last is writable", () => {
    const args = qemuArguments(spec, "x", { overlays: ["run/0", "run/1", "run/2"], seed: "in/seed" }, {
      incoming: false
    })
    const nodes = args.filter((arg) => arg.startsWith("{")).map((arg) => JSON.parse(arg) as Record<string, unknown>)
    const chain = nodes.filter(({ driver }) => driver === "qcow2")
    assert.deepStrictEqual(chain.map(({ backing }) => backing), ["b0", "w0", "w1"])
    assert.deepStrictEqual(chain.map((node) => node["read-only"] ?? false), [true, true, false])
    assert.isTrue(args.some((arg) => arg.startsWith("virtio-blk-device,id=vdb,drive=w2")))
  })

  it("a VM that shares a memory maps it privately by its descriptor, and is the same machine as one with its own", () => {
    const disks = { overlays: ["o"], seed: "s" } as const
    const [own, shared] = [false, true].map((sharesMemory) =>
      qemuArguments(spec, "x", disks, { incoming: true, sharesMemory })
    )
    const differing = own!.flatMap((arg, at) => arg === shared![at] ? [] : [[arg, shared![at]]])
    assert.deepStrictEqual(differing, [[
      "memory-backend-file,id=m,size=512M,mem-path=mem,share=on",
      "memory-backend-file,id=m,size=512M,mem-path=/proc/self/fd/5,share=off"
    ]])
    assert.strictEqual(own!.length, shared!.length)
  })

  it("QEMU may never start programs and has only the monitor of its socket", () => {
    const args = qemuArguments(spec, "x", { overlays: ["o"], seed: "s" }, { incoming: true })
    assert.include(args[args.indexOf("-sandbox") + 1], "spawn=deny")
    assert.strictEqual(args.filter((arg) => arg === "-mon").length, 1)
    assert.include(args, "-nodefaults")
  })
})

describe("template key", () => {
  it("a template key is the same for the same machine and near clocks, and differs for any other machine", () => {
    const key = keyOf(spec)
    assert.strictEqual(keyOf({ ...spec }), key)
    const others = [
      keyOf({ ...spec, memoryMib: 513 }),
      keyOf({ ...spec, vcpuCount: 2 }),
      keyOf({ ...spec, tscKhz: spec.tscKhz * 1.01 }),
      keyOf({ ...spec, accelerator: "kvm" }),
      keyOf({ ...spec, environment: { ...spec.environment, digest: "f" } }),
      keyOf({ ...spec, kernel: { ...spec.kernel, digest: "l" } }),
      keyOf(spec, 8 * gib),
      keyOf(spec, 16 * gib, "d"),
      keyOf(spec, 16 * gib, "e"),
      templateKey(spec, "/bin/sh", { virtualBytes: 16 * gib })
    ]
    assert.strictEqual(new Set([key, ...others]).size, others.length + 1)
  })

  it("a template key does not depend on the paths of the images", () => {
    assert.strictEqual(
      keyOf({
        ...spec,
        environment: { ...spec.environment, imagePath: "/other" },
        kernel: { ...spec.kernel, vmlinux: "/other" }
      }),
      keyOf(spec)
    )
  })
})

describe("records", () => {
  it("the name of a folder in preparation names its process", () => {
    const maker = parseNewFolder(newFolderName(newVmId()))
    assert.strictEqual(maker?.pid, process.pid)
    assert.isUndefined(parseNewFolder(newVmId()))
  })

  it("every guest identity has the right shape and is unique", () => {
    const one = newGuestIdentity("a")
    const other = newGuestIdentity("a")
    assert.match(one.machineId, /^[0-9a-f]{32}$/)
    assert.match(one.bootId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.notStrictEqual(one.machineId, other.machineId)
    assert.notStrictEqual(one.bootId, other.bootId)
  })
})
