import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { ServiceFailed } from "../../src/contract/errors/errors.ts"
import type { PyroService } from "../../src/contract/rows/Pyro.ts"
import type { ServiceInfo } from "../../src/contract/rows/service-fields.ts"
import type { ServiceStartPayload } from "../../src/contract/rows/workspace-service.ts"
import { instructionsOf } from "../../src/mcp/instructions.ts"
import { unfakedPyro } from "../support/daemon/unfaked-pyro.ts"
import { call, emptyProject, fakePyro, textOf } from "./fakes.ts"

const web: ServiceInfo = {
  name: "web",
  state: "ready",
  command: ["bash", "-c", "npm run dev"],
  readyCheck: "tcp 5173",
  startedAt: "2026-01-02T03:04:05.000Z",
  ports: [{ guestPort: 5173, hostPort: 40_001 }],
  readyMs: 1_234,
  uptimeMs: 65_000,
  restarts: 2,
  outputBytes: 100
}

const withService = (service: Partial<PyroService["workspace"]["service"]>) =>
  fakePyro({ service: { ...unfakedPyro.workspace.service, ...service } })

const W = { workspace_id: "w", name: "web" }

describe("tools for services", () => {
  it("service_start passes the command as a script, and says in one line how the service is", async () => {
    let asked: ServiceStartPayload | undefined
    const pyro = withService({
      start: (payload) => {
        asked = payload
        return Effect.succeed(web)
      }
    })
    const result = await call(pyro, "service_start", { ...W, command: "npm run dev", ready_tcp: 5173 })
    assert.strictEqual(
      textOf(result),
      "web: ready, ready after 1.2 s, up 65.0 s, port 5173 at 127.0.0.1:40001 of the user's host, 2 restarts"
    )
    assert.deepStrictEqual([asked?.script, asked?.readyTcp, asked?.restart], ["npm run dev", 5173, "never"])
    assert.deepInclude(result.structuredContent, { state: "ready", ports: [{ guest_port: 5173, host_port: 40_001 }] })
  })

  it("a failed service_start is an error with the end of the log and the next call", async () => {
    const failed = new ServiceFailed({
      workspace: "w",
      service: "web",
      detail: "it ended with status 1 before it was ready",
      outputTail: "Error: \u001b[31mport in use"
    })
    const result = await call(withService({ start: () => failed }), "service_start", { ...W, command: "x" })
    assert.isTrue(result.isError)
    assert.notProperty(result, "structuredContent")
    assert.match(
      textOf(result),
      /^service_failed: .*status 1 before it was ready.*port in use\nhint: Correct its command, and start it again\. All of its log: call service_logs/s
    )
    assert.notInclude(textOf(result), "\u001b")
  })

  it("service_logs shows text without terminal codes, and the cursor to go on from", async () => {
    const pyro = withService({
      logs: () =>
        Effect.succeed({
          state: "ready" as const,
          output: "\u001b[32mup\u001b[0m\n",
          nextCursor: 12,
          hasMore: true,
          lossy: false
        })
    })
    const result = await call(pyro, "service_logs", W)
    assert.strictEqual(textOf(result), "state ready\nup\n\n[there is more; go on with cursor 12]")
    assert.deepInclude(result.structuredContent, { output: "up\n", next_cursor: 12, has_more: true })
  })

  it("the instructions of workspace-full alone name services", () => {
    assert.include(instructionsOf("workspace-full", emptyProject), "service_start")
    assert.notInclude(instructionsOf("workspace-core", emptyProject), "service_start")
  })
})
