import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { withChildren } from "../../../src/system/processes/identity.ts"
import { until } from "../pyro-cli.ts"
import { points, pointsOf } from "./fault-points.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import { rewindSteps } from "./rewind-steps.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

/** Stops a process and its children, so that the guest in them does not answer any more. */
export const stopProcesses = (vmProcess: number) => {
  for (const pid of withChildren(vmProcess)) process.kill(pid, "SIGSTOP")
}

const settings = (client: WorkspacesClient) => {
  client.setForNext("PYRO_REWIND_MIB", "2048")
  client.setForNext("PYRO_REWIND_EVERY_MS", "0")
}

/** Points without memory. */
const pointsOfLayers = pointsOf("point").filter((point) => point !== "point:copied" && point !== "point:captured")

/** Crashes at the steps of points of the disk alone, and of rewinds to them. */
export const layerFaultSuite = (name: string, driver: LifecycleDriver) =>
  describe(`a process that is killed at a step of a point or a rewind, over ${name}`, { concurrent: false }, () => {
    let client: WorkspacesClient
    let wrong = ""
    const known = operations(() => client)
    const { call, create, sh, startProgram, status } = known
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
      settings(client)
    })
    afterEach(() => call("delete", { workspaces: [], all: true }))
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
        // Without a write since the last point, no layer is frozen.
        await startProgram("w", "while :; do date > .now; sleep 0.1; done")
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
      }
    )
  })

/**
 * Crashes at the steps of points with memory, and of rewinds to them. `silence` makes a guest that does not answer; without it, the workspace stops: both have
 * their disk copied.
 */
export const memoryFaultSuite = (
  name: string,
  driver: LifecycleDriver,
  { silence }: { readonly silence?: (vmProcess: number) => void } = {}
) =>
  describe(`a process that is killed at a step of a point with memory or a rewind to it, over ${name}`, {
    concurrent: false
  }, () => {
    let client: WorkspacesClient
    const known = operations(() => client)
    const { call, create, sh, status, vmProcess } = known
    const { rewind, step } = rewindSteps(known)
    const filesOf = async (...names: ReadonlyArray<string>) =>
      fs.readdirSync(path.join(client.state, "workspaces", (await status("killed")).id, ...names))
    /** A file of the memory, and one of the disk. */
    const both = (text: string) => `echo ${text} > /dev/shm/page; echo ${text} > file`

    beforeAll(async () => {
      client = await driver.open()
      settings(client)
    })
    afterEach(() => call("delete", { workspaces: [], all: true }))
    afterAll(() => driver.close(client))

    it.each([
      ...pointsOf("point").filter((point) => point !== "point:layer" && point !== "point:frozen"),
      ...pointsOf("rewind")
    ])("a process killed at %s leaves the state before the rewind or after it", async (point) => {
      await create("killed")
      await step("killed", both("good"))
      const wrong = await step("killed", both("bad"))
      const stops = point === "point:copied" && silence === undefined
      if (stops) await call("stop", { workspace: "killed" })
      else if (point === "point:copied") silence?.(vmProcess((await status("killed")).id))
      // After a use of memory alone, the state before the rewind is no point yet.
      else await call("mkdir", { workspace: "killed", path: "/dev/shm/used" })
      const ahead = path.join(client.state, "workspaces", (await status("killed")).id, "points/.ahead")
      fs.writeFileSync(ahead, "half made")
      await client.killedAt(point, "rewind", { workspace: "killed", before: wrong })
      const isDone = point.startsWith("rewind:") && points[point] === "after"
      assert.strictEqual((await status("killed")).state, stops ? "stopped" : "running")
      if (stops) await call("start", { workspace: "killed" })
      assert.strictEqual(await sh("killed", "cat file"), isDone ? "good" : "bad")
      await until("the removal of leftovers", async () => {
        const disks = (await filesOf()).filter((name) => name.startsWith("disk-"))
        const half = (await filesOf("points")).filter((name) => name.startsWith("."))
        // Another memory may be made ahead by now.
        const isSwept = half.every((name) => name === ".ahead" && fs.statSync(ahead).size !== "half made".length)
        return disks.length === 1 && isSwept
      })
      if (!isDone) await rewind("killed", { before: wrong })
      assert.strictEqual(await sh("killed", "cat /dev/shm/page file"), "good\ngood")
    })
  })
