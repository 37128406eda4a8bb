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

  it("a guest loads the drivers of FUSE, of loop devices and of tun when a program first opens their devices", async () => {
    const nodes = await sh("bare", "cd /dev; stat -c '%A %n' fuse loop-control net/tun")
    assert.strictEqual(nodes, "crw-rw-rw- fuse\ncrw-rw---- loop-control\ncrw-rw-rw- net/tun")
    const attached =
      "cd /root; echo content >disk; truncate -s 1M disk; head -c 7 $(losetup -f --show disk); losetup -D"
    assert.strictEqual(await sh("bare", attached), "content")
    assert.strictEqual(
      await sh(
        "bare",
        "ip tuntap add t0 mode tun && ls /sys/class/net/t0 >/dev/null && exec 3<>/dev/fuse && echo open"
      ),
      "open"
    )
  })

  it("programs find what Debian and Docker give them: low ports, ping, HOSTNAME, /run/lock and /etc/mtab", async () => {
    const program = `import os, socket
socket.socket().bind(("127.0.0.1", 80))
socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
print(os.getuid(), os.environ["HOSTNAME"] == socket.gethostname() == "bare")`
    assert.strictEqual(
      await sh("bare", `setpriv --reuid=1000 --regid=1000 --clear-groups python3 -c '${program}'`),
      "1000 True"
    )
    assert.strictEqual(
      await sh("bare", "stat -c %a /var/lock/.; flock /var/lock/x true && grep -c ' /proc ' /etc/mtab"),
      "1777\n1"
    )
  })
})
