import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { unmount } from "../support/files/mounts.ts"
import { pointsOf } from "../support/lifecycle/fault-points.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import { stopProcesses } from "../support/lifecycle/rewind-fault-suite.ts"
import { rewindSteps } from "../support/lifecycle/rewind-steps.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { until } from "../support/pyro-cli.ts"
import { sanitizedBuild } from "./agent.ts"

// The points before these keeps have memory. test/support/lifecycle/keep-suite.ts has those of layers alone.

const mountPoint = fs.mkdtempSync("/var/tmp/pyro-keep-")
/** Only root mounts a file system that a test can fill. */
const isRoot = process.getuid!() === 0

describe("the keep of a candidate with a point with memory over a local agent", { concurrent: false }, () => {
  const variable = process.env["TMPDIR"]
  let driver: ReturnType<typeof localAgent>
  let client: WorkspacesClient
  const known = operations(() => client)
  const { call, create, sh, status, vmProcess } = known
  const { rewind } = rewindSteps(known)
  const both = (text: string) => `echo ${text} > /dev/shm/page; echo ${text} > file`
  const keep = () => call<{ readonly undo?: string }>("keep", { workspace: "w", candidate: "way" })
  const folder = async () => path.join(client.state, "workspaces", (await status("w")).id)

  beforeAll(async () => {
    if (isRoot) execFileSync("mount", ["-t", "tmpfs", "-o", "size=600m,mode=0700", "tmpfs", mountPoint])
    process.env["TMPDIR"] = mountPoint
    driver = localAgent(sanitizedBuild, { hasMemoryPoints: true })
    if (variable === undefined) delete process.env["TMPDIR"]
    else process.env["TMPDIR"] = variable
    client = await driver.open()
    client.setForNext("PYRO_REWIND_MIB", "2048")
    client.setForNext("PYRO_REWIND_EVERY_MS", "0")
  })
  afterEach(() => call("delete", { workspaces: [], all: true }))
  afterAll(async () => {
    await driver.close(client)
    if (isRoot) await unmount(mountPoint)
    fs.rmdirSync(mountPoint)
  })

  const tried = async () => {
    await create("w")
    await sh("w", both("old"))
    await call("try", { workspace: "w", candidates: [{ name: "way", command: both("new") }] })
  }

  /** A crash leaves no half of a point, and no disk that nothing names. */
  const nothingIsLeft = () =>
    until("the removal of leftovers", async () => {
      const own = await folder()
      const disks = fs.readdirSync(own).filter((name) => name.startsWith("disk-"))
      const half = fs.readdirSync(path.join(own, "points")).filter((name) => name.startsWith(".") && name !== ".ahead")
      return disks.length === 1 && half.length === 0
    })

  it.each([
    ...pointsOf("point").filter((point) => point !== "point:layer" && point !== "point:frozen"),
    "try:kept"
  ])("a process killed at %s of a keep leaves the workspace as it was, or the candidate", async (point) => {
    await tried()
    // The point of a guest that does not answer has a copy of its disk alone.
    if (point === "point:copied") stopProcesses(vmProcess((await status("w")).id))
    await client.killedAt(point, "keep", { workspace: "w", candidate: "way" })
    assert.strictEqual((await status("w")).state, "running")
    assert.strictEqual(await sh("w", "cat file"), point === "try:kept" ? "new" : "old")
    await nothingIsLeft()
    const { undo } = await keep()
    assert.strictEqual(await sh("w", "cat file"), "new")
    if (point !== "try:kept") {
      await rewind("w", { to: undo! })
      assert.strictEqual(await sh("w", "cat file"), "old")
    }
  })

  /** Takes all the room of the file system but `left` bytes, piece by piece: the agent writes there as well. */
  const fill = (left: number) => {
    const filler = fs.openSync(path.join(mountPoint, "filler"), "wx")
    const pieceBytes = 4 * 1024 * 1024
    const room = () => {
      const { bavail, bsize } = fs.statfsSync(mountPoint)
      return bavail * bsize - left
    }
    const piece = Buffer.alloc(pieceBytes)
    for (let takes = room(); takes > 0; takes = room()) {
      try {
        fs.writeSync(filler, piece, 0, Math.min(takes, pieceBytes))
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "ENOSPC") throw cause
        break
      }
    }
    fs.closeSync(filler)
  }

  it.runIf(isRoot).each([8_192, 262_144, 1_310_720, 2_621_440])(
    "a keep with %d bytes of room keeps the candidate or changes nothing, and works when there is more",
    async (left) => {
      await tried()
      fill(left)
      const outcome = await keep().then(() => "kept", String)
      const now = await sh("w", "cat file").catch(() => "no room for a command")
      fs.rmSync(path.join(mountPoint, "filler"))
      if (outcome !== "kept") assert.include(outcome, "NoSpace")
      const expected = outcome === "kept" ? "new" : "old"
      assert.include([expected, "no room for a command"], now)
      assert.strictEqual((await status("w")).state, "running")
      assert.strictEqual(await sh("w", "cat file"), expected)
      await nothingIsLeft()
      await keep()
      assert.strictEqual(await sh("w", "cat file"), "new")
    }
  )
})
