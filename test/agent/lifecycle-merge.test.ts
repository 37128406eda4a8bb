import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { points, pointsOf } from "../support/lifecycle/fault-points.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { until } from "../support/pyro-cli.ts"
import { makeIdle } from "../support/workspace/workspace-activity.ts"
import { sanitizedBuild } from "./agent.ts"

describe("a long chain of layers over a local agent", () => {
  const driver = localAgent(sanitizedBuild)
  let client: WorkspacesClient
  let sums = ""
  const { call, create, sh, status } = operations(() => client)

  /** Folders of the disk and of what is read, and the number of layers. */
  const disk = async () => {
    const folder = path.join(client.state, "workspaces", (await status("w")).id)
    const folders = fs.readdirSync(folder).filter((name) => /^disk-|^compared/.test(name))
    const layers = fs.readdirSync(path.join(folder, folders.at(-1)!)).filter((name) => name.endsWith(".qcow2"))
    return { folders: folders.length, layers: layers.length }
  }

  /** Does something with a process that merges chains of three layers as soon as it starts: the workspace is idle by its record. */
  const merging = async (work: () => Promise<unknown>) => {
    const { id } = await status("w")
    await client.close()
    makeIdle(path.join(client.state, "workspaces", id))
    client.setForNext("PYRO_FLATTEN_AT", "3")
    try {
      await work()
    } finally {
      client.setForNext("PYRO_FLATTEN_AT")
    }
  }

  beforeAll(async () => {
    client = await driver.open()
    await create("w")
    for (const number of [1, 2, 3]) {
      await sh("w", `head -c 100000 /dev/urandom > f${number}; rm -f f${number - 2}`)
      await call("snapshot", { workspace: "w", name: `s${number}` })
    }
    sums = await sh("w", "sha256sum *")
  })
  afterAll(() => driver.close(client))

  it("a process that ends during a merge of layers leaves the old chain", async () => {
    await merging(async () => {
      await until("a merge", async () => (await disk()).folders > 1)
      await client.close()
    })
    assert.strictEqual((await status("w")).state, "running")
    assert.deepStrictEqual(await disk(), { folders: 1, layers: 4 })
  })

  it.each(pointsOf("flatten"))("a chain of layers is whole when the process is killed at %s", async (point) => {
    await merging(() => client.diesAtStart(point))
    assert.strictEqual((await status("w")).state, "running")
    assert.deepStrictEqual(await disk(), { folders: 1, layers: points[point] === "after" ? 2 : 4 })
    assert.strictEqual(await sh("w", "sha256sum *"), sums)
  })

  it("pauses and resumes in turns lengthen the chain of layers to twice the length of a merge at most", async () => {
    await client.close()
    client.setForNext("PYRO_FLATTEN_AT", "3")
    const lengths: Array<number> = []
    for (let round = 0; round < 12; round++) {
      await sh("w", `echo ${round} > round`)
      await call("pause", { workspace: "w" })
      lengths.push((await disk()).layers)
    }
    assert.isAtMost(Math.max(...lengths), 6, lengths.join(" "))
    assert.strictEqual(await sh("w", "cat round; rm round; sha256sum *"), `11\n${sums}`)
    await client.close()
    client.setForNext("PYRO_FLATTEN_AT")
  })

  it("a merge of layers under a running workspace keeps its files and snapshots", async () => {
    for (const name of ["s4", "s5"]) await call("snapshot", { workspace: "w", name })
    await merging(() => until("the layers are merged", async () => (await disk()).layers < 4))
    assert.strictEqual(await sh("w", "sha256sum *"), sums)
    await call("reset", { workspace: "w", snapshot: "s2" })
    assert.strictEqual(await sh("w", "ls"), "f1\nf2")
    await call("reset", { workspace: "w", snapshot: "s5", disk_only: true })
    assert.strictEqual(await sh("w", "sha256sum *"), sums)
  })
})
