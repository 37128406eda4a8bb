import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const { close, create, sh } = installation("pyro-devices-")
afterAll(close)

/** Virtio device types that a guest may have: block, console and balloon; not net, 9P, fs or vsock. */
const allowed = ["0x0002", "0x0003", "0x0005"]

describe("a guest", () => {
  it("a guest has only the loopback interface, no shared directory and no PCI device of the host", async () => {
    await create(["--name", "bare"])
    assert.strictEqual(await sh("bare", "ls /sys/class/net"), "lo")
    assert.strictEqual(await sh("bare", "sed 1d /proc/net/route"), "")
    const types = (await sh("bare", "cat /sys/bus/virtio/devices/*/device")).split("\n")
    assert.deepStrictEqual([...new Set(types)].sort(), allowed)
    assert.strictEqual(await sh("bare", "ls /sys/bus/pci/devices 2>/dev/null || true"), "")
    const fileSystems = await sh("bare", "cut -d' ' -f3 /proc/mounts | sort -u")
    assert.notMatch(fileSystems, /9p|virtiofs|nfs|cifs|fuse/)
  })
})
