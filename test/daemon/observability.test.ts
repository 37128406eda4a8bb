import * as fs from "node:fs"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

interface Status {
  readonly running: boolean
  readonly metrics?: {
    readonly operations: ReadonlyArray<{ readonly operation: string; readonly outcome: string; readonly count: number }>
    readonly refusals: ReadonlyArray<{ readonly code: string; readonly count: number }>
    readonly live_vms: number
  }
}

describe("pyro daemon status", () => {
  const pyro = installation("pyro-observability-")
  const status = () => pyro.json<Status>(["daemon", "status"])
  afterAll(pyro.close)

  it("daemon status starts no daemon and shows no metrics without one", async () => {
    const { metrics, running } = await status()
    assert.isFalse(running)
    assert.isUndefined(metrics)
    assert.isFalse((await status()).running)
  })

  it("daemon status shows counts and outcomes of the daemon's operations", async () => {
    await pyro.list()
    await pyro.list()
    await pyro.failure(["workspace", "status", "nobody"])
    const { metrics } = await status()
    const counted = metrics!.operations.filter(({ operation }) => operation !== "daemon.status")
    assert.sameDeepMembers(
      counted.map(({ count, operation, outcome }) => ({ count, operation, outcome })),
      [
        { operation: "workspace.list", outcome: "ok", count: 2 },
        { operation: "workspace.status", outcome: "workspace_not_found", count: 1 }
      ]
    )
    assert.deepStrictEqual(metrics!.refusals, [{ code: "workspace_not_found", count: 1 }])
    assert.strictEqual(metrics!.live_vms, 0)
    const { stdout } = await pyro.call(["daemon", "status"])
    assert.match(stdout.toString(), /operations: \d+, 1 failed; microVMs: 0, 0 in the pool/)
  })

  it("timings show no operation while none was slow", async () => {
    const { operations, slow_ms } = await pyro.json<{
      readonly operations: ReadonlyArray<unknown>
      readonly slow_ms: number
    }>(["daemon", "timings"])
    assert.strictEqual(slow_ms, 100)
    assert.isArray(operations)
  })

  it("daemon status answers without metrics while the daemon is stopped by a signal", async () => {
    await pyro.list()
    const pid = await pyro.daemonPid()
    process.kill(pid, "SIGSTOP")
    try {
      const { metrics, running } = await status()
      assert.isTrue(running)
      assert.isUndefined(metrics)
    } finally {
      process.kill(pid, "SIGCONT")
    }
  })
})

describe("pyro daemon status, asked again and again", () => {
  const pyro = installation("pyro-observed-idle-", { env: { PYRO_DAEMON_IDLE_MS: "5000" } })
  afterAll(pyro.close)

  it("daemon status does not keep an idle daemon from exiting", async () => {
    await pyro.list()
    const pid = await pyro.daemonPid()
    let asked = 0
    while (fs.existsSync(`/proc/${pid}`)) {
      await pyro.json(["daemon", "status"])
      asked++
    }
    assert.isAbove(asked, 1)
  })
})
