import { assert, describe, it } from "vitest"
import { shown } from "./shown.ts"

describe("views of workspaces", () => {
  it("status of a failed workspace shows the command that starts it", async () => {
    const workspace = {
      id: "ws-0123456789",
      name: "fix",
      environment: "debian:12",
      vcpuCount: 1,
      memoryMib: 512,
      diskMib: 1024,
      runningCommands: 0,
      createdAt: "2025-01-01T00:00:00.000Z",
      lastActivityAt: "2025-01-01T00:00:00.000Z",
      labels: {}
    } as const
    const detail = "the microVM failed (attach): the QEMU of vm-1 is gone: the host restarted, or QEMU was killed"
    const failed = await shown("workspace.status", { ...workspace, state: "failed", detail }, {})
    assert.match(failed.out, /\nstate +failed: .*the host restarted/)
    assert.match(failed.out, /\nnext +pyro workspace start fix\n/)
    const running = await shown("workspace.status", { ...workspace, state: "running" }, {})
    assert.notInclude(running.out, "next")
  })
})
