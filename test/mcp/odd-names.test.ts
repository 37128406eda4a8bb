import { Effect } from "effect"
import { assert, it } from "vitest"
import type { WorkspaceInfo } from "../../src/contract/operations/workspace-info.ts"
import { oddNames } from "../support/odd-names.ts"
import { call, fakePyro, textOf } from "./fakes.ts"

it("labels whose names plain objects treat specially arrive and are told", async () => {
  const seen: Array<object> = []
  const pyro = fakePyro({
    list: ({ labels }) => {
      seen.push(labels)
      const workspace = { id: "ws-0123456789", labels, environment: "debian:12", state: "running" } as WorkspaceInfo
      return Effect.succeed({ workspaces: [{ ...info, ...workspace }] })
    }
  })
  const result = await call(pyro, "workspace_list", { labels: oddNames("x") })
  assert.isUndefined(result.isError, textOf(result))
  assert.deepStrictEqual(Object.entries(seen[0]!), Object.entries(oddNames("x")))
  assert.include(JSON.stringify(result.structuredContent), JSON.stringify(oddNames("x")))
})

const info = {
  environmentDigest: "sha256:00",
  createdAt: "2025-01-02T03:04:05.000Z",
  lastActivityAt: "2025-01-02T03:04:05.000Z",
  generation: 1,
  vcpuCount: 1,
  memoryMib: 1024,
  diskMib: 16_384,
  runningCommands: 0
}
