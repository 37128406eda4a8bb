import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { ExecNotFound } from "../../src/contract/errors/errors.ts"
import type { ExecEvent } from "../../src/contract/rows/workspace-exec.ts"
import type { WorkspaceInfo } from "../../src/contract/rows/workspace-info.ts"
import { call, fakePyro, textOf } from "./fakes.ts"
import { fails, info, succeeds } from "./results.ts"

const execId = "0123456789abcdef".repeat(2)
const workspace = { workspace_id: "fix" }

describe("a command that runs", () => {
  it("workspace_status lists a running command's id in both halves and both profiles", async () => {
    const running = [{ execId, command: "npm run dev" }]
    const pyro = fakePyro({ status: () => Effect.succeed({ ...info, runningCommands: 1, running }) })
    for (const profile of ["core", "full"] as const) {
      const result = await call(pyro, "workspace_status", workspace, { profile })
      const told = succeeds("workspace_status", result) as { readonly running?: unknown }
      assert.deepStrictEqual(told.running, [{ exec_id: execId, command: "npm run dev" }])
      assert.include(textOf(result), `1 command running\n  exec_id ${execId}: npm run dev\n`)
    }
  })

  it("workspace_status costs a model nothing for what the workspace has none of", async () => {
    const none = { ports: [], running: [], secretHttp: [], secrets: [], services: {}, shells: 0 }
    const told = async (status: WorkspaceInfo) => {
      const result = await call(fakePyro({ status: () => Effect.succeed(status) }), "workspace_status", workspace)
      return { text: textOf(result), size: JSON.stringify(succeeds("workspace_status", result)).length }
    }
    const [without, empty] = [await told(info), await told({ ...info, ...none })]
    assert.strictEqual(empty.text, without.text)
    assert.isAtMost(empty.size, without.size)
  })

  it("workspace_summary lists a running command's id in both halves", async () => {
    const commands = {
      total: 1,
      succeeded: 0,
      failed: 0,
      running: 1,
      stillRunning: [{ execId, command: "npm run dev" }],
      lastFailed: [],
      last: []
    }
    const since = "2026-01-01T00:00:00.000Z"
    const summary = { id: info.id, state: "running" as const, since, commands, exportCount: 0, exports: [] }
    const pyro = fakePyro({ summary: () => Effect.succeed({ ...summary, text: `still running (${execId})` }) })
    const result = await call(pyro, "workspace_summary", workspace, { profile: "core" })
    assert.include(textOf(result), execId)
    assert.include(JSON.stringify(succeeds("workspace_summary", result)), `"exec_id":"${execId}"`)
  })

  it("workspace_exec detaches its command from the call when the client waits no longer", async () => {
    const asked: Array<Readonly<Record<string, unknown>>> = []
    const detachRequest = await new Promise<Readonly<Record<string, unknown>>>((resolve) => {
      const pyro = fakePyro({
        exec: (payload) => {
          asked.push(payload)
          if (payload.script !== undefined) return Stream.never
          // The request that starts it may still be on its way.
          if (asked.length < 4) return Stream.fail(new ExecNotFound({ workspace: "fix", execId }))
          resolve(payload)
          return Stream.make<Array<ExecEvent>>({ _tag: "Started", execId }, { _tag: "Detached", execId })
        }
      })
      const args = { ...workspace, command: "sleep 60" }
      call(pyro, "workspace_exec", args, { profile: "core", timedOut: Effect.void }).catch(() => undefined)
    })
    const [started, ...others] = asked
    assert.lengthOf(others, 3)
    assert.deepInclude(started, { script: "sleep 60", detach: false })
    assert.deepInclude(detachRequest, { execId: started!["execId"], command: [], detach: true })
  })

  it("workspace_exec with exec_id and cancel ends a command and returns its last output", async () => {
    const asked: Array<string> = []
    const pyro = fakePyro({
      cancel: ({ execId }) => Effect.sync(() => (asked.push(`cancel ${execId}`), { execId, cancelled: true })),
      exec: ({ execId = "" }) => {
        asked.push(`exec ${execId}`)
        return Stream.make<Array<ExecEvent>>(
          { _tag: "Started", execId },
          { _tag: "Output", from: "stdout", bytes: new TextEncoder().encode("bye\n"), next: 4 },
          { _tag: "Exited", outcome: "signaled", status: 143, signal: 15, durationMs: 2_000 }
        )
      }
    })
    const ended = await call(pyro, "workspace_exec", { ...workspace, exec_id: execId, cancel: true }, {
      profile: "core"
    })
    assert.deepInclude(succeeds("workspace_exec", ended) as object, {
      state: "exited",
      exit_code: 143,
      stdout: "bye\n"
    })
    assert.deepStrictEqual(asked, [`cancel ${execId}`, `exec ${execId}`])
    fails(
      await call(pyro, "workspace_exec", { ...workspace, command: "ls", cancel: true }),
      "invalid_request: cancel: needs exec_id"
    )
    assert.lengthOf(asked, 2)
  })
})
