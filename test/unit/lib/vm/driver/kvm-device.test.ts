import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll } from "vitest"
import { confine, type KvmDevice, kvmDeviceFor, MAY_NOT_OPEN } from "../../../../../src/lib/vm/driver/confine.ts"
import { temporaryFolder } from "../../../../support/pyro-cli.ts"

/** User of a VM. */
const UID = 60_001

const { folder, remove } = temporaryFolder("pyro-kvm-")
afterAll(remove)

/** A device like /dev/null with other permissions. */
const deviceOf = (mode: string, gid = 0) => {
  const device = path.join(folder, `device-${mode}-${gid}`)
  execFileSync("mknod", ["-m", mode, device, "c", "1", "3"])
  fs.chownSync(device, 0, gid)
  return device
}

const folderOfVm = () => fs.mkdtempSync(path.join(folder, "vm-"))

/** Exit status of a program that opens KVM's device as QEMU does, in a VM's namespaces. */
const opens = (kvm: KvmDevice) => {
  const { args, program } = confine("namespaces+uid", {
    command: ["/usr/bin/dash", "-c", "exec 5<>/dev/kvm"],
    files: [{ name: "run", path: folder, access: "write" }],
    uid: UID,
    kvm,
    dieWithParent: false,
    infoDescriptor: 4
  })
  return spawnSync(program, args, { stdio: ["ignore", "ignore", "pipe", "ignore", "pipe"] }).status
}

describe.runIf(process.getuid?.() === 0)("KVM's device for the user of a VM", () => {
  it.effect("the user opens a device that is for everybody, or for a group, where it is", () =>
    Effect.gen(function*() {
      for (const [mode, gid, group] of [["0666", 0, undefined], ["0660", 1_234, 1_234]] as const) {
        const device = deviceOf(mode, gid)
        const kvm = yield* kvmDeviceFor(UID, folderOfVm(), device)
        assert.deepStrictEqual(kvm, { path: device, group })
        assert.strictEqual(opens(kvm), 0, mode)
      }
    }))

  it.effect("of a device that is for root, the user gets a node of its own and no group", () =>
    Effect.gen(function*() {
      for (const mode of ["0600", "0660"]) {
        const device = deviceOf(mode)
        assert.notStrictEqual(opens({ path: device, group: undefined }), 0)
        const vm = folderOfVm()
        const kvm = yield* kvmDeviceFor(UID, vm, device)
        assert.deepStrictEqual(kvm, { path: path.join(vm, "kvm"), group: undefined })
        const { mode: found, rdev, uid } = fs.statSync(kvm.path)
        assert.deepStrictEqual([found & 0o777, uid, rdev], [0o600, UID, fs.statSync(device).rdev])
        assert.strictEqual(opens(kvm), 0, mode)
        assert.deepStrictEqual(yield* kvmDeviceFor(UID, vm, device), kvm)
      }
    }))

  it.effect("where no node can be made, the reason says who may not open what", () =>
    Effect.gen(function*() {
      const device = deviceOf("0600", 7)
      const failure = yield* Effect.flip(kvmDeviceFor(UID, path.join(folder, "nowhere"), device))
      assert.strictEqual(failure._tag, "VmFailed")
      assert.isTrue(
        "detail" in failure && failure.detail.startsWith(`${MAY_NOT_OPEN} ${device} (0600, owner 0:7), and`)
      )
    }))
})
