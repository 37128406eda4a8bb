import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { points, pointsOf } from "../support/fault-points.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import { rewindSteps } from "../support/lifecycle/rewind-steps.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { until } from "../support/pyro-cli.ts"
import { sanitizedBuild } from "./agent.ts"

/** Points without memory. */
const pointsOfLayers = pointsOf("point").filter((point) => point !== "point:copied" && point !== "point:captured")

describe("a process that is killed at a step of a point or a rewind, over a local agent", { concurrent: false }, () => {
  const driver = localAgent(sanitizedBuild)
  let client: WorkspacesClient
  let wrong = ""
  const known = operations(() => client)
  const { call, create, remove, sh, status } = known
  const { history, rewind, step } = rewindSteps(known)

  const folder = async () => path.join(client.state, "workspaces", (await status("w")).id)
  /** What a crash could leave: points without a name, and disks that nothing names. */
  const leftovers = async () => {
    const own = await folder()
    const disks = fs.readdirSync(own).filter((name) => name.startsWith("disk-"))
    return [...fs.readdirSync(path.join(own, "points")).filter((name) => name.startsWith(".")), ...disks.slice(1)]
  }
  const nothingIsLeft = () => until("the removal of leftovers", async () => (await leftovers()).length === 0)
  const service = async () =>
    (await call<{ readonly state: string }>("service-status", { workspace: "w", name: "stays" })).state

  beforeAll(async () => {
    client = await driver.open()
    client.setForNext("PYRO_REWIND_MIB", "2048")
    client.setForNext("PYRO_REWIND_EVERY_MS", "0")
  })
  afterAll(() => driver.close(client))

  const begin = async () => {
    await create("w")
    await call("service-start", { workspace: "w", name: "stays", script: "exec sleep 1000" })
    await step("w", "echo good > file")
    wrong = await step("w", "echo bad > file")
  }

  it.each([...pointsOfLayers, ...pointsOf("point-evict")])(
    "a process killed at %s leaves a whole workspace, and its points",
    async (point) => {
      await begin()
      // A rewind makes a point of the state before it, whatever was written. The twentieth makes room.
      if (point === "point-evict:hidden") {
        for (let number = 0; (await history("w")).points.length < 20; number++) await step("w", `echo ${number} > n`)
      }
      await client.killedAt(point, "rewind", { workspace: "w" })
      const { commands, points: all } = await history("w")
      assert.isTrue(commands.every(({ undone }) => !undone))
      assert.strictEqual((await status("w")).state, "running")
      assert.strictEqual(await service(), "running")
      await nothingIsLeft()
      if (point === "point-evict:hidden") assert.isAtMost(all.length, 20)
      else {
        await rewind("w", { before: wrong })
        assert.strictEqual(await sh("w", "cat file; ls"), "good\nfile")
      }
      await remove("w")
    }
  )

  it.each(pointsOf("rewind"))(
    "a process killed at %s leaves the state before the rewind or after it",
    async (point) => {
      await begin()
      await client.killedAt(point, "rewind", { workspace: "w", before: wrong })
      const isDone = points[point] === "after"
      assert.strictEqual((await status("w")).state, "running")
      assert.strictEqual(await sh("w", "cat file"), isDone ? "good" : "bad")
      await until("the service", async () => (await service()) === "running")
      const { commands } = await history("w")
      assert.strictEqual(commands.find(({ execId }) => execId === wrong)!.undone, isDone)
      await nothingIsLeft()
      if (isDone) {
        const { points: all } = await history("w")
        await rewind("w", { to: all.findLast((one) => !one.current)!.id })
        assert.strictEqual(await sh("w", "cat file"), "bad")
      } else {
        await rewind("w", { before: wrong })
        assert.strictEqual(await sh("w", "cat file"), "good")
      }
      await remove("w")
    }
  )
})
