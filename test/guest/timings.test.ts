import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

interface Timing {
  readonly operation: string
  readonly duration_ms: number
  readonly outcome: string
  readonly steps: ReadonlyArray<{
    readonly name: string
    readonly depth: number
    readonly start_ms: number
    readonly duration_ms: number
    readonly outcome: string
  }>
}

describe("pyro daemon timings", { concurrent: false }, () => {
  const pyro = installation("pyro-timings-", { env: { PYRO_POOL_MEMBERS: "2" } })
  afterAll(pyro.close)
  const timings = async () =>
    (await pyro.json<{ readonly operations: ReadonlyArray<Timing> }>(["daemon", "timings", "--limit", "50"])).operations

  it("timings show the steps of a create that no waiting microVM served", async () => {
    await pyro.create(["--name", "slow"])
    const create = (await timings()).find(({ operation }) => operation === "workspace.create")
    assert.isDefined(create, "a create with an empty pool took less than 100 ms")
    assert.strictEqual(create!.outcome, "ok")
    const names = create!.steps.map(({ name }) => name)
    assert.includeMembers(names, [
      "seed",
      "environment",
      "kernel",
      "microVM",
      "pool",
      "restore",
      "start",
      "hello",
      "claim"
    ])
    const microVm = create!.steps.find(({ name }) => name === "microVM")!
    const restore = create!.steps.find(({ name }) => name === "restore")!
    assert.isAbove(restore.depth, microVm.depth)
    assert.isAtMost(restore.duration_ms, microVm.duration_ms)
    assert.isAtMost(microVm.start_ms + microVm.duration_ms, create!.duration_ms)
  })

  it("timings leave out commands, however long they take", async () => {
    await pyro.sh("slow", "sleep 0.3")
    assert.notInclude((await timings()).map(({ operation }) => operation), "workspace.exec")
  })
})
