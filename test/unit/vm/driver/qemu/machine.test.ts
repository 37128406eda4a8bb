import { assert, describe, it } from "@effect/vitest"
import { newGuestIdentity } from "../../../../../src/vm/claim/steps.ts"
import { kernelCommandLine, qemuArguments } from "../../../../../src/vm/driver/qemu/machine.ts"
import { templateKey } from "../../../../../src/vm/driver/qemu/template-key.ts"
import type { MachineSpec } from "../../../../../src/vm/machine-spec.ts"
import { newFolderName, newVmId, parseNewFolder } from "../../../../../src/vm/record/record.ts"

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
  it("gives the guest ASLR and its own clock where the CPU is real", () => {
    assert.include(kernelCommandLine(spec), "norandmaps")
    assert.include(kernelCommandLine(spec), "tsc_early_khz=2596144")
    const kvm = kernelCommandLine({ ...spec, accelerator: "kvm" })
    assert.notInclude(kvm, "norandmaps")
    assert.notInclude(kvm, "tsc")
  })

  it("says the whole chain of the workspace disk, oldest first, and writes only the last", () => {
    const args = qemuArguments(spec, "x", { overlays: ["run/0", "run/1", "run/2"], seed: "in/seed" }, false)
    const nodes = args.filter((arg) => arg.startsWith("{")).map((arg) => JSON.parse(arg) as Record<string, unknown>)
    const chain = nodes.filter(({ driver }) => driver === "qcow2")
    assert.deepStrictEqual(chain.map(({ backing }) => backing), ["b0", "w0", "w1"])
    assert.deepStrictEqual(chain.map((node) => node["read-only"] ?? false), [true, true, false])
    assert.isTrue(args.some((arg) => arg.startsWith("virtio-blk-device,id=vdb,drive=w2")))
  })

  it("always denies QEMU new programs, and has no monitor but its socket", () => {
    const args = qemuArguments(spec, "x", { overlays: ["o"], seed: "s" }, true)
    assert.include(args[args.indexOf("-sandbox") + 1], "spawn=deny")
    assert.strictEqual(args.filter((arg) => arg === "-mon").length, 1)
    assert.include(args, "-nodefaults")
  })
})

describe("template key", () => {
  it("is the same for the same machine and near clocks, another for anything else", () => {
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

  it("does not depend on where the images are", () => {
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
  it("a folder that is being prepared tells by whom", () => {
    const maker = parseNewFolder(newFolderName(newVmId()))
    assert.strictEqual(maker?.pid, process.pid)
    assert.isUndefined(parseNewFolder(newVmId()))
  })

  it("a guest's identity is of the right shape and never the same", () => {
    const one = newGuestIdentity("a")
    const other = newGuestIdentity("a")
    assert.match(one.machineId, /^[0-9a-f]{32}$/)
    assert.match(one.bootId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.notStrictEqual(one.machineId, other.machineId)
    assert.notStrictEqual(one.bootId, other.bootId)
  })
})
