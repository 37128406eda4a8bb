import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { checkDisk } from "../support/disk/workspace-disk.ts"
import { unmount } from "../support/files/mounts.ts"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { isFirecracker } from "../support/vm/vmm.ts"

const mountPoint = fs.mkdtempSync("/var/tmp/pyro-full-host-")
const state = path.join(mountPoint, "state")
const pyro = installation("pyro-full-host-", { env: { PYRO_STATE_DIR: state } })
const { create, daemonPid, failure, folder, json, sh, status, step } = pyro

/** Firecracker's guests stand still at 1 GiB of free space, and begin with more. */
const size = isFirecracker ? "3g" : "800m"

const filler = path.join(mountPoint, "filler")
const freeBytes = () => {
  const { bavail, bsize } = fs.statfsSync(mountPoint)
  return bavail * bsize
}
/** Takes all the space but a few pages. In pieces: one that fails takes nothing, as a guest may take some of it first. */
const fill = () => {
  for (let left = freeBytes(); left > 65_536; left = freeBytes()) {
    const length = Math.min(left - 32_768, 67_108_864)
    try {
      execFileSync("fallocate", ["-o", String(filledBytes()), "-l", String(length), filler], { stdio: "pipe" })
    } catch { /* the guest was faster */ }
  }
}
const filledBytes = () => fs.existsSync(filler) ? fs.statSync(filler).size : 0
const free = () => fs.rmSync(filler)

const stands = "the host's disk is full: the guest stands still and goes on when there is room"

/** Writes and syncs until it is told to end, and notes the first write that fails. */
const writer = `mkdir -p /workspace/w; cd /workspace/w; n=0
while [ ! -e ../end ]; do n=$(((n + 1) % 20))
  head -c 400000 /dev/urandom > $n && sync $n && sha256sum $n > $n.sum && sync $n.sum || { echo $n > /dev/shm/lost; break; }
done; touch /dev/shm/ended`

describe("a host's disk that fills up while a guest writes", { concurrent: false }, () => {
  beforeAll(() => {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "tmpfs", mountPoint])
  })
  afterAll(async () => {
    await pyro.close()
    await unmount(mountPoint)
    fs.rmdirSync(mountPoint)
  })

  it("the guest stands still, also under the next daemon, and goes on without a lost write when there is space", async () => {
    const { id } = await create(["--name", "w"])
    await json(["workspace", "exec", "w", "--detach", "--", "sh", "-c", writer])
    await sh("w", "until [ -s /workspace/w/3.sum ]; do sleep 0.1; done; echo kept > /dev/shm/kept")
    fill()
    try {
      await until("its standing still", async () => (await status("w")).detail !== undefined, 60_000)
      const found = await status("w")
      assert.deepStrictEqual([found.state, found.detail], ["running", stands])
      for (const verb of [["exec", "w", "--", "true"], ["stop", "w"]]) {
        const refused = await failure(["workspace", ...verb])
        assert.deepInclude(refused, { code: "workspace_not_ready", state: "standing still" }, verb[0])
      }
      const more = ["workspace", "create", "--mem-mib", "256", "--disk-mib", "512"]
      assert.strictEqual((await failure(more)).code, "no_space")

      process.kill(await daemonPid(), "SIGKILL")
      // Enough for a daemon to say that it is there, and not for the guest.
      fs.truncateSync(filler, filledBytes() - 262_144)
      const later = await status("w")
      assert.deepStrictEqual([later.state, later.detail], ["starting", stands])
    } finally {
      free()
    }
    await until("its going on", async () => (await status("w")).state === "running", 60_000)
    await sh("w", "touch /workspace/end; until [ -e /dev/shm/ended ]; do sleep 0.1; done; test ! -e /dev/shm/lost")
    await sh(
      "w",
      "sync; echo 3 > /proc/sys/vm/drop_caches; cat w/*.sum > /dev/shm/sums; cd w; sha256sum -c --quiet /dev/shm/sums"
    )
    assert.strictEqual(await sh("w", "cat /dev/shm/kept"), "kept")
    await step("stop", "w")
    checkDisk(state, id, folder)
  })
})
