import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { call, fakePyro, textOf } from "../../mcp/fakes.ts"

const execId = "0".repeat(32)
const workspace = { workspace_id: "fix" }

describe("the text of workspace_cancel", () => {
  it.each([
    [true, `ended command ${execId}`],
    [false, `command ${execId} had ended before; nothing was done`]
  ])("workspace_cancel reports the outcome of the command: %s", async (cancelled, text) => {
    const pyro = fakePyro({ cancel: () => Effect.succeed({ execId, cancelled }) })
    assert.strictEqual(textOf(await call(pyro, "workspace_cancel", { ...workspace, exec_id: execId })), text)
  })
})

describe("the text of workspace_logs", () => {
  it("workspace_logs shows command lines and outcomes", async () => {
    const command = ["sh", "-c", "seq 1 100000"]
    const ran = { execId, command, startedAt: "2025-01-02T03:04:05.000Z", outputBytes: 11 }
    const commands = [
      { ...ran, outcome: "exited" as const, status: 3, durationMs: 20 },
      { ...ran, outcome: "running" as const },
      { ...ran, outcome: "lost" as const, command: ["x".repeat(9_000)] }
    ]
    const text = textOf(
      await call(fakePyro({ logs: () => Effect.succeed({ commands }) }), "workspace_logs", workspace)
    )
    const [first, second, third = ""] = text.split("\n")
    assert.strictEqual(first, `${execId} exit 3 in 20 ms, printed 11 B: sh -c 'seq 1 100000'`)
    assert.strictEqual(second, `${execId} still runs, printed 11 B: sh -c 'seq 1 100000'`)
    assert.match(third, /lost: .*x…$/)
    assert.isBelow(third.length, 500)
  })

  it("workspace_logs shows the output, the next cursor, or that there is none", async () => {
    const page = fakePyro({ logs: () => Effect.succeed({ commands: [], output: "1\n2", nextCursor: 3 }) })
    assert.match(textOf(await call(page, "workspace_logs", workspace)), /^1\n2\n\[go on with cursor 3\]$/)
    const none = fakePyro({ logs: () => Effect.succeed({ commands: [] }) })
    assert.match(textOf(await call(none, "workspace_logs", workspace)), /^no command ran/)
  })
})

describe("the text of workspace_snapshot_list", () => {
  const listing = async (names: ReadonlyArray<string>) => {
    const of = (name: string) => ({
      name,
      kind: "memory" as const,
      createdAt: "2025-01-02T03:04:05.000Z",
      durable: true,
      memoryBytes: 2_048,
      holdsSecrets: false,
      layers: 1,
      runningCommands: 1
    })
    const list = () => Effect.succeed({ snapshots: names.map(of) })
    const pyro = fakePyro({ snapshot: { ...fakePyro({}).workspace.snapshot, list } })
    return textOf(await call(pyro, "workspace_snapshot_list", workspace))
  }

  it("workspace_snapshot_list shows the snapshots, or that there are none", async () => {
    assert.strictEqual(await listing([]), "the workspace has no snapshots")
    assert.strictEqual(
      await listing(["green"]),
      "1 snapshot\ngreen: memory (2.0 KiB) and disk of 2025-01-02T03:04:05.000Z, 1 command running"
    )
  })
})
