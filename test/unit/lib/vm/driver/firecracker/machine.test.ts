import { assert, describe, it } from "@effect/vitest"
import * as path from "node:path"
import { templateKey } from "../../../../../../src/lib/vm/driver/firecracker/identity.ts"
import {
  type ApiRequest,
  boot,
  capture,
  firecrackerArguments,
  load,
  machineOf,
  pause,
  reopenDisk,
  resume
} from "../../../../../../src/lib/vm/driver/firecracker/machine.ts"
import { templateKey as keyOnQemu } from "../../../../../../src/lib/vm/driver/qemu/identity.ts"
import type { MachineSpec } from "../../../../../../src/lib/vm/model/machine.ts"

const spec: MachineSpec = {
  driver: "firecracker",
  accelerator: "kvm",
  vcpuCount: 3,
  memoryMib: 512,
  tscKhz: 2_596_144,
  environment: { digest: "e", imagePath: "/host/environment" },
  kernel: { digest: "k", vmlinux: "/host/vmlinux", initrd: "/host/initrd" }
}

const bodyOf = (wanted: string, requests: ReadonlyArray<ApiRequest> = machineOf(spec)) =>
  requests.find((request) => request.path === wanted)!.body

const wordsOf = (one: MachineSpec) => String(bodyOf("/boot-source", machineOf(one))["boot_args"]).split(" ")

describe("what Firecracker is told", () => {
  it("a new machine is described before it starts, with the sizes of its spec", () => {
    assert.deepStrictEqual(machineOf(spec).map(({ method, path }) => `${method} ${path}`), [
      "PUT /machine-config",
      "PUT /boot-source",
      ...["vda", "vdb", "vdc", "vdd"].map((id) => `PUT /drives/${id}`),
      "PUT /vsock"
    ])
    assert.deepStrictEqual(bodyOf("/machine-config"), { vcpu_count: 3, mem_size_mib: 512, smt: false })
    assert.deepStrictEqual(boot, { method: "PUT", path: "/actions", body: { action_type: "InstanceStart" } })
    assert.strictEqual(pause.body["state"], "Paused")
    assert.strictEqual(resume.body["state"], "Resumed")
  })

  it("only the store can be written, each flush reaches the host's disk, and no drive is the root device", () => {
    const drives = ["vda", "vdb", "vdc", "vdd"].map((id) => bodyOf(`/drives/${id}`))
    assert.deepStrictEqual(drives.map((drive) => drive["is_read_only"]), [true, false, true, true])
    for (const drive of drives) {
      assert.strictEqual(drive["cache_type"], "Writeback")
      assert.strictEqual(drive["is_root_device"], false)
    }
    assert.strictEqual(drives[2]!["path_on_host"], drives[3]!["path_on_host"])
  })

  it("every path is relative, because a snapshot keeps it and each VM has its own folder", () => {
    const requests = [...machineOf(spec), load, capture("Diff"), ...reopenDisk]
    const strings = (value: unknown): ReadonlyArray<string> =>
      typeof value === "string" ? [value] : value instanceof Object ? Object.values(value).flatMap(strings) : []
    for (const { body } of requests) {
      for (const text of strings(body)) {
        assert.isFalse(path.isAbsolute(text), text)
        assert.notInclude(text, "/host")
      }
    }
    assert.match(String(bodyOf("/vsock")["uds_path"]), /^run\//)
  })

  it("a loaded machine stays paused, and its changed pages are tracked", () => {
    assert.strictEqual(load.path, "/snapshot/load")
    assert.deepInclude(load.body, { resume_vm: false, enable_diff_snapshots: true })
    assert.deepInclude(load.body["mem_backend"] as object, { backend_type: "File" })
  })

  it("a capture is written where Firecracker may write, and a reopened disk keeps its names and leaves the environment", () => {
    for (const which of ["Full", "Diff"] as const) {
      const { body } = capture(which)
      assert.strictEqual(body["snapshot_type"], which)
      assert.match(String(body["snapshot_path"]), /^run\//)
      assert.match(String(body["mem_file_path"]), /^run\//)
    }
    assert.deepStrictEqual(reopenDisk.map(({ path }) => path), ["/drives/vdb", "/drives/vdc", "/drives/vdd"])
    for (const { body, method, path } of reopenDisk) {
      assert.strictEqual(method, "PATCH")
      assert.deepStrictEqual(body, { drive_id: body["drive_id"], path_on_host: bodyOf(path)["path_on_host"] })
    }
  })

  it("the kernel's words name the agent's channel, end the VM at a reset, and keep ASLR", () => {
    const words = wordsOf(spec)
    for (const word of ["pyro_channel=vsock", "reboot=k", "panic=-1", "pci=off", "rdinit=/init", "console=ttyS0"]) {
      assert.include(words, word)
    }
    for (const word of ["acpi=off", "nokaslr", "norandmaps", "tsc=reliable"]) assert.notInclude(words, word)
  })

  it("Firecracker's arguments name its VM, so that a sweep finds the process, and it logs errors only", () => {
    const args = firecrackerArguments("vm-0123456789ab")
    assert.strictEqual(args[args.indexOf("--id") + 1], "pyro-vm-0123456789ab")
    assert.strictEqual(args[args.indexOf("--api-sock") + 1], "run/api")
    assert.strictEqual(args[args.indexOf("--level") + 1], "Error")
    assert.notInclude(args, "--no-seccomp")
  })

  it("a template's key differs for another machine, another disk, and the other driver", () => {
    const key = (one: MachineSpec, virtualBytes = 1 << 30, mounted?: string) =>
      templateKey(one, process.execPath, { virtualBytes, ...(mounted === undefined ? {} : { mounted }) })
    const keys = [
      key(spec),
      key({ ...spec, memoryMib: 513 }),
      key({ ...spec, vcpuCount: 2 }),
      key({ ...spec, kernel: { ...spec.kernel, digest: "l" } }),
      key({ ...spec, environment: { ...spec.environment, digest: "f" } }),
      key(spec, 1 << 29),
      key(spec, 1 << 30, "d"),
      keyOnQemu(spec, process.execPath, { virtualBytes: 1 << 30 })
    ]
    assert.strictEqual(new Set(keys).size, keys.length)
    assert.strictEqual(key({ ...spec, environment: { ...spec.environment, imagePath: "/other" } }), key(spec))
  })
})
