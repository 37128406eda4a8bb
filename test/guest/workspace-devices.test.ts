import { execFileSync } from "node:child_process"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const { call, close, create, folder, sh } = installation("pyro-devices-")
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

  it("an image of a file system is mounted by mount -o loop, and keeps what is written", async () => {
    const image = path.join(folder, "image")
    execFileSync("/sbin/mke2fs", ["-q", "-t", "ext4", image, "8M"])
    await call(["workspace", "cp", image, "bare:/root/image"])
    const script = `cd /root; mkdir -p at
mount -o loop image at; echo kept > at/file; stat -f -c %T at; umount at
mount -o loop,ro image at; cat at/file; touch at/other 2>/dev/null || echo read-only; umount at; losetup -a`
    assert.strictEqual(await sh("bare", script), "ext2/ext3\nkept\nread-only")
  })

  // As Debian's script of apache2 does: directories beneath /var/run and /var/lock, another user, a low port.
  it("service starts, asks after and stops a server by its init script", async () => {
    const init = `#!/bin/sh
### BEGIN INIT INFO
# Provides: made
# Required-Start: $local_fs
# Required-Stop: $local_fs
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
. /lib/lsb/init-functions
pid=/var/run/made/pid
case $1 in
start)
  install -d -o www-data /var/run/made /var/lock/made
  log_daemon_msg "Starting" made
  flock -n /var/lock/made/lock start-stop-daemon --start --background --pidfile $pid --make-pidfile --chuid www-data \\
    --startas /usr/bin/python3 -- -m http.server 80 --bind 127.0.0.1 --directory /etc/apt
  log_end_msg $? ;;
status) status_of_proc -p $pid python3 made ;;
stop) start-stop-daemon --stop --retry 5 --pidfile $pid ;;
esac`
    await sh("bare", `cat > /etc/init.d/made <<'END'\n${init}\nEND\nchmod +x /etc/init.d/made`)
    assert.strictEqual(await sh("bare", "service made start"), "Starting: made.")
    assert.include(
      await sh("bare", "curl -sS --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1/"),
      "sources.list"
    )
    assert.include(await sh("bare", "service made status"), "is running")
    assert.strictEqual(await sh("bare", "ps -o user= -p $(cat /var/run/made/pid)"), "www-data")
    await sh("bare", "service made stop")
    assert.include(await sh("bare", "service made status || true"), "not running")
  })
})
