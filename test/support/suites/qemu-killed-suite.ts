import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../installation.ts"
import { settlesAs } from "../settled.ts"
import { qemuKilledAt } from "../vm/qemu-killed.ts"
import { snapshots } from "../workspace/snapshots.ts"

const files = "/usr/local/lib/tool /workspace/work"
const makeFiles = `for f in ${files}; do head -c 300000 /dev/urandom > $f; done; sync; sha256sum ${files}`
const readFiles = `sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum ${files}`

/** Points at which QEMU is killed, by what pyro is doing. */
export interface KilledAt {
  readonly snapshot: ReadonlyArray<string>
  readonly fork: ReadonlyArray<string>
  readonly reset: ReadonlyArray<string>
  readonly deletion: ReadonlyArray<string>
}

/** QEMU is killed at points of the lifecycle; what was there before is whole. */
export const qemuKilledSuite = (points: KilledAt) => {
  // A VM on the host is a workspace's, and nobody else's.
  const pyro = installation("pyro-faults-qemu-", { env: { PYRO_POOL_MEMBERS: "0" } })
  const { create, inventory, json, list, sh, state, status, step } = pyro
  const { kinds, snapshot } = snapshots(pyro)
  afterAll(pyro.close)

  // Every point is visited over local agents (test/agent/lifecycle-vm-killed.test.ts): QEMU adds its memory, its devices and its disk.
  describe("QEMU killed in the middle of a snapshot, a fork, a reset to a snapshot, or a delete", {
    concurrent: false
  }, () => {
    let digests = ""

    beforeAll(async () => {
      await create(["--name", "whole"])
      digests = await sh("whole", `echo live > /dev/shm/memory; ${makeFiles}`)
      await snapshot("whole", "good")
    })

    /** It says that its machine is gone, or runs on; then it can be had back, with its files. */
    const comesBack = async (name: string) => {
      const found = await status(name)
      assert.include(["failed", "running"], found.state, found.detail)
      if (found.state === "failed") await step("start", name)
      assert.strictEqual(await sh(name, readFiles), digests, name)
    }

    /** What was kept before is whole, memory included, and of VMs there is the one that runs and nothing else on the host. */
    const isWhole = async () => {
      await comesBack("whole")
      await json(["workspace", "reset", "whole", "--snapshot", "good"])
      assert.strictEqual(await sh("whole", "cat /dev/shm/memory"), "live")
      assert.strictEqual(await sh("whole", readFiles), digests)
      assert.deepStrictEqual((await list()).map(({ name }) => name), ["whole"])
      // The machine before the reset ends behind the caller's back.
      const record = JSON.parse(
        fs.readFileSync(path.join(state, "workspaces", (await status("whole")).id, "record.json"), "utf8")
      )
      const vms = () => [...new Set(inventory().flatMap((line) => /vm-[a-z0-9]{12}/.exec(line) ?? []))]
      await settlesAs(vms, [(record as { readonly vm: string }).vm])
    }

    it.each(points.snapshot)(
      "killing QEMU at %s leaves the workspace whole, with a whole snapshot or none",
      async (point) => {
        const { code } = await qemuKilledAt(pyro, point, ["workspace", "snapshot", "create", "whole", "cut"])
        const kept = await kinds("whole")
        if (code !== 0) assert.deepStrictEqual(kept, { good: "memory" })
        if ("cut" in kept) {
          await json(["workspace", "reset", "whole", "--snapshot", "cut"])
          assert.strictEqual(await sh("whole", readFiles), digests)
          await json(["workspace", "snapshot", "delete", "whole", "cut"])
        }
        await isWhole()
      }
    )

    it.each(points.fork)(
      "killing QEMU at %s of a fork leaves all its children or none",
      async (point) => {
        const { code } = await qemuKilledAt(pyro, point, [
          "workspace",
          "fork",
          "whole",
          "--name",
          "child",
          "--count",
          "2"
        ])
        const children = (await list()).flatMap(({ name }) => name === undefined || name === "whole" ? [] : [name])
          .sort()
        assert.deepStrictEqual(children, code === 0 ? ["child-1", "child-2"] : [])
        for (const child of children) await comesBack(child)
        if (children.length > 0) await json(["workspace", "delete", ...children])
        await isWhole()
      }
    )

    it.each(points.reset)(
      "killing QEMU at %s of a reset leaves the old or the new generation, whole",
      async (point) => {
        const { generation } = await status("whole")
        const { code } = await qemuKilledAt(pyro, point, ["workspace", "reset", "whole", "--snapshot", "good"])
        assert.strictEqual((await status("whole")).generation, generation + (code === 0 ? 1 : 0))
        await isWhole()
      }
    )

    it.each(points.deletion)("killing QEMU at %s of a deletion deletes the workspace", async (point) => {
      if ((await list()).length === 0) await create(["--name", "whole"])
      const { code, stdout } = await qemuKilledAt(pyro, point, ["workspace", "delete", "whole"])
      assert.strictEqual(code, 0, stdout.toString())
      assert.deepStrictEqual(await list(), [])
      await settlesAs(() => inventory().filter((line) => line.startsWith(state) && /\/ws-/.test(line)), [])
    })
  })
}
