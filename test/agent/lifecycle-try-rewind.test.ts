import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { pointsOf } from "../support/lifecycle/fault-points.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import { rewindSteps } from "../support/lifecycle/rewind-steps.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { sanitizedBuild } from "./agent.ts"

interface Done {
  readonly kept?: string
  readonly undo?: string
}

describe("the keep of a try in the history, over a local agent", { concurrent: false }, () => {
  const driver = localAgent(sanitizedBuild)
  let client: WorkspacesClient
  const known = operations(() => client)
  const { call, create, exec, remove, sh, status } = known
  const { history, rewind, step } = rewindSteps(known)
  const keep = (command: string) =>
    call<Done>("try", { workspace: "w", candidates: [{ name: "way", command }], keep: "way" })
  /** Words and fate of the commands, oldest first. */
  const past = async () => (await history("w")).commands.map(({ command, undone }) => ({ command, undone }))
  const kept = { command: "pyro try --keep way", undone: false }

  beforeAll(async () => {
    client = await driver.open()
    client.setForNext("PYRO_REWIND_MIB", "2048")
    client.setForNext("PYRO_REWIND_EVERY_MS", "0")
    await create("w")
  })
  afterAll(() => driver.close(client))

  it("a keep joins the history, and a rewind undoes it", async () => {
    await step("w", "echo one > file")
    await step("w", "echo two > file")
    const before = await past()
    const { kept: name, undo } = await keep("echo tried > file")
    assert.strictEqual(name, "way")
    assert.deepStrictEqual(await past(), [...before, kept])
    const { commands, points } = await history("w")
    assert.isDefined(undo)
    assert.include(points.map(({ id }) => id), undo!)
    assert.deepInclude(commands.at(-1)!, { point: undo!, alsoUndone: 0 })
    assert.notProperty(commands.at(-1), "writtenBytes")

    const { redo, undone } = await rewind("w")
    assert.deepStrictEqual(undone.map(({ execId }) => execId), [commands.at(-1)!.execId])
    assert.strictEqual(await sh("w", "cat file"), "two")
    await rewind("w", { to: redo })
    assert.strictEqual(await sh("w", "cat file"), "tried")
  })

  it("commands before a keep are undone through it, and commands after it up to it", async () => {
    const wrong = await step("w", "echo three > file")
    await keep("echo four > file")
    const after = await step("w", "echo five > file")
    await rewind("w", { before: after })
    assert.strictEqual(await sh("w", "cat file"), "four")
    await rewind("w", { before: wrong })
    assert.strictEqual(await sh("w", "cat file"), "tried")
  })

  it("a workspace without points keeps its history, and says nothing of an undo", async () => {
    await client.close()
    client.setForNext("PYRO_REWIND_MIB", "0")
    const { execId } = await exec("w", "echo seven > file")
    assert.notProperty(await keep("echo eight > file"), "undo")
    const { commands } = await history("w")
    assert.strictEqual(commands.at(-2)!.execId, execId)
    assert.strictEqual(commands.at(-1)!.command, kept.command)
    await client.close()
    client.setForNext("PYRO_REWIND_MIB", "2048")
    await remove("w")
  })

  it.each([...pointsOf("reset-to"), "point:frozen", "point:committed", "try:kept"])(
    "a process killed at %s of a keep has it in the history once, or not at all",
    async (point) => {
      await create("w")
      await step("w", "echo old > file")
      await client.killedAt(point, "try", {
        workspace: "w",
        candidates: [{ name: "way", command: "echo new > file; sync" }],
        keep: "way"
      })
      assert.strictEqual((await status("w")).state, "running")
      const isKept = (await sh("w", "cat file")) === "new"
      const commands = await past()
      assert.lengthOf(commands.filter(({ command }) => command === kept.command), isKept ? 1 : 0)
      assert.lengthOf(commands, isKept ? 3 : 2)
      if (isKept) {
        await rewind("w", { steps: 1 })
        assert.strictEqual(await sh("w", "cat file"), "old")
      }
      await remove("w")
    }
  )
})
