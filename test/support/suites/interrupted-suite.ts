import { assert, beforeAll, describe, it } from "vitest"
import type { Installation } from "../installation.ts"
import { startPyro, until } from "../pyro-cli.ts"
import { lapsed } from "../until.ts"

/**
 * Clients that give up a step so many ms after its start. The delays reach from before the daemon hears of the step to after the step's end.
 */
export const interruptedSuite = (pyro: Installation, delaysMs: ReadonlyArray<number>) => {
  const { create, daemon, env, json, list, sh, step } = pyro

  /** VMs of workspaces; those of the pool come and go. */
  const workspaceVms = async () => (await daemon()).vms.filter(({ purpose }) => purpose === "workspace").length

  /** Asks for a step and gives up after a while. */
  const giveUp = async (args: ReadonlyArray<string>, delayMs: number) => {
    const { child, finished } = startPyro(args, { env })
    await lapsed(delayMs)
    child.kill("SIGINT")
    await finished
  }

  /** Waits until nothing is under way any more. */
  const settled = () =>
    until(
      "the workspaces to rest",
      async () => (await list()).every(({ state }) => state === "running" || state === "stopped")
    )

  describe("a client that gives up in the middle of a step", { concurrent: false }, () => {
    beforeAll(async () => {
      await create(["--name", "one"])
      await sh("one", "echo kept > /workspace/kept; sync")
    })

    it.each(["stop", "start", "reset"])(
      "an interrupted %s leaves the workspace in the old or the new state",
      async (verb) => {
        for (const delayMs of delaysMs) {
          if (verb === "start") await step("stop", "one")
          await giveUp(["workspace", verb, "one"], delayMs)
          await settled()
          const [{ state } = { state: "" }] = await list()
          await until("its VM alone", async () => (await workspaceVms()) === (state === "running" ? 1 : 0))
          if (verb === "start") assert.include(["running", "stopped"], state)
          if (state === "stopped") await step("start", "one")
          const files = await sh("one", "cat /workspace/kept 2>/dev/null || ls -A /workspace")
          assert.strictEqual(
            verb === "reset" ? files === "kept" || files === "" : files === "kept",
            true,
            `${verb}: ${files}`
          )
        }
      }
    )

    it("an interrupted create leaves nothing or a whole workspace", async () => {
      for (const [index, delayMs] of delaysMs.entries()) {
        await giveUp(
          ["workspace", "create", "--mem-mib", "256", "--disk-mib", "512", "--name", `new-${index}`],
          delayMs
        )
      }
      await settled()
      const all = await list()
      for (const { id } of all) assert.strictEqual(await sh(id, "echo fine"), "fine")
      await until("no other VM", async () => (await workspaceVms()) === all.length)
      await json(["workspace", "delete", "--all"])
      await until("no VM", async () => (await workspaceVms()) === 0)
    })
  })
}
