import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../installation.ts"

/** Uses of a paused workspace: one of each kind of work, or all. */
export const pauseUsesSuite = (uses: "some" | "all") => {
  const pyro = installation("pyro-pause-uses-")
  const { create, failure, json, sh, status } = pyro
  afterAll(pyro.close)

  const stateOf = async (name: string) => (await status(name)).state

  describe("uses of a paused workspace", { concurrent: false }, () => {
    it("a use of files or processes resumes a paused workspace, and the disk tools refuse it", async () => {
      await create(["--name", "w"])
      await create(["--name", "other"])
      await sh("w", "echo kept > /run/memory; echo written > file")
      const { exec_id: id } = await json<{ readonly exec_id: string }>(
        ["exec", "w", "--detach", "--", "sleep", "infinity"]
      )
      const others = [
        ["diff", "w"],
        ["export", "w", "/etc/hostname", "--output", path.join(pyro.folder, "hostname")],
        ["port", "publish", "w", "3000"],
        ["shell", "open", "w"],
        ["resume", "w"]
      ]
      for (
        const use of [
          ["file", "read", "w", "file"],
          ["compare", "w", "other"],
          ["snapshot", "create", "w", "green"],
          ["cancel", "w", id],
          ["start", "w"],
          ...uses === "all" ? others : []
        ]
      ) {
        await json(["pause", "w"])
        assert.deepInclude(await failure(["disk", "list", "w"]), { code: "workspace_not_ready", state: "paused" })
        await json(use)
        assert.strictEqual(await stateOf("w"), "running", use.join(" "))
        assert.strictEqual(await sh("w", "cat /run/memory"), "kept", use.join(" "))
      }
    })

    it("a reset of a paused workspace discards the memory of the pause", async () => {
      await json(["pause", "w"])
      await json(["reset", "w", "--snapshot", "green"])
      assert.strictEqual(await sh("w", "cat /run/memory"), "kept")
      await json(["pause", "w"])
      await json(["reset", "w"])
      assert.strictEqual(await sh("w", "cat /run/memory file 2>/dev/null || echo gone"), "gone")
    })
  })
}
