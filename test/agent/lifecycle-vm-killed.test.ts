import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { pointsOf } from "../support/lifecycle/fault-points.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import type { Operation } from "../support/lifecycle/workspaces-process.ts"
import { settlesAs } from "../support/settled.ts"
import { sanitizedBuild } from "./agent.ts"

describe("a VM killed in the middle of a snapshot, a fork, a reset to a snapshot, or a delete", () => {
  const driver = localAgent(sanitizedBuild)
  let client: WorkspacesClient
  let digests = ""
  const { call, create, list, remove, sh, snapshots, status, vmsNow } = operations(() => client)
  const readFiles = "sha256sum work more"

  beforeAll(async () => {
    client = await driver.open()
    await create("whole")
    digests = await sh(
      "whole",
      `echo live > /dev/shm/memory; for f in work more; do head -c 300000 /dev/urandom > $f; done; ${readFiles}`
    )
    await call("snapshot", { workspace: "whole", name: "good" })
  })
  afterAll(() => driver.close(client))

  const killVms = () => {
    for (const { process: pid } of vmsNow()) process.kill(pid, "SIGKILL")
  }
  /** Whether the operation succeeded although every VM was killed at the point. */
  const killedAt = (point: string, operation: Operation, payload: object) =>
    client.haltedAt(point, killVms, operation, payload)

  /** Says that its VM is gone, or runs on; a start then brings back its files. */
  const comesBack = async (workspace: string) => {
    const found = await status(workspace)
    assert.include(["failed", "running"], found.state, found.detail)
    if (found.state === "failed") await call("start", { workspace })
    assert.strictEqual(await sh(workspace, readFiles), digests, workspace)
  }

  const isWhole = async () => {
    await comesBack("whole")
    await call("reset", { workspace: "whole", snapshot: "good" })
    assert.strictEqual(await sh("whole", `cat /dev/shm/memory; ${readFiles}`), `live\n${digests}`)
    assert.deepStrictEqual((await list()).map(({ name }) => name), ["whole"])
    // The VM before the reset ends behind the caller's back.
    await settlesAs(() => vmsNow().length, 1)
  }

  it.each([...pointsOf("snapshot"), ...pointsOf("take")])(
    "killing the VM at %s leaves the workspace whole, with a whole snapshot or none",
    async (point) => {
      const isDone = await killedAt(point, "snapshot", { workspace: "whole", name: "cut" })
      const kept = await snapshots("whole")
      if (!isDone) assert.deepStrictEqual(kept, { good: "memory" })
      if ("cut" in kept) {
        await call("reset", { workspace: "whole", snapshot: "cut" })
        assert.strictEqual(await sh("whole", readFiles), digests)
        await call("delete-snapshot", { workspace: "whole", name: "cut" })
      }
      await isWhole()
    }
  )

  it.each(pointsOf("snapshot-delete"))(
    "killing the VM at %s of a snapshot's deletion deletes the snapshot and leaves the workspace whole",
    async (point) => {
      await call("snapshot", { workspace: "whole", name: "gone" })
      assert.isTrue(await killedAt(point, "delete-snapshot", { workspace: "whole", name: "gone" }))
      assert.deepStrictEqual(await snapshots("whole"), { good: "memory" })
      await isWhole()
    }
  )

  it.each([...pointsOf("fork"), ...pointsOf("take")])(
    "killing the VMs at %s of a fork leaves all its children or none",
    async (point) => {
      const isDone = await killedAt(point, "fork", { workspace: "whole", name: "child", count: 2 })
      const children = (await list()).flatMap(({ name = "" }) => name === "whole" ? [] : [name]).sort()
      assert.deepStrictEqual(children, isDone ? ["child-1", "child-2"] : [])
      for (const child of children) await comesBack(child)
      if (children.length > 0) await remove(...children)
      await isWhole()
    }
  )

  it.each(pointsOf("reset-to"))(
    "killing the VM at %s of a reset leaves the old or the new generation, whole",
    async (point) => {
      const { generation } = await status("whole")
      const isDone = await killedAt(point, "reset", { workspace: "whole", snapshot: "good" })
      assert.strictEqual((await status("whole")).generation, generation + (isDone ? 1 : 0))
      await isWhole()
    }
  )

  it.each(pointsOf("delete"))("killing the VM at %s of a deletion deletes the workspace", async (point) => {
    if ((await list()).length === 0) await create("whole")
    assert.isTrue(await killedAt(point, "delete", { workspaces: ["whole"] }))
    assert.deepStrictEqual(await list(), [])
    await settlesAs(() => vmsNow().length, 0)
  })
})
