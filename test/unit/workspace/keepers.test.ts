import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { Paths } from "../../../src/system/files/Paths.ts"
import type { WorkspaceRecord } from "../../../src/workspace/entry/record.ts"
import { keepersOf } from "../../../src/workspace/life/records/keepers.ts"
import { temporaryDirectory } from "../lib/disk/temporary-directory.ts"
import { recordOf } from "./record-of.ts"

describe("who keeps a removed image", () => {
  it.live("a workspace of its digest does, running or stopped, and a builder or an unreadable one is not named", () =>
    Effect.gen(function*() {
      const stateDir = yield* temporaryDirectory
      const put = (number: number, of: Partial<WorkspaceRecord>) => {
        const id = `ws-000000000${number}`
        const environment = { name: "web", digest: "removed" }
        const text = JSON.stringify({ ...recordOf(id, "stopped"), environment, ...of })
        fs.mkdirSync(path.join(stateDir, "workspaces", id), { recursive: true })
        fs.writeFileSync(path.join(stateDir, "workspaces", id, "record.json"), number === 6 ? text.slice(9) : text)
      }
      put(1, { name: "fix" })
      put(2, {})
      put(3, { environment: { name: "web", digest: "newer" } })
      put(4, { builder: "quay.io/x:1" })
      put(5, { phase: "deleting" })
      put(6, {})
      const paths = Layer.succeed(Paths, { stateDir, cacheDir: stateDir, memoryDir: stateDir })
      const keepers = yield* Effect.provide(keepersOf(new Set(["removed", "other"])), paths)
      assert.sameMembers([...keepers], ["fix", "ws-0000000002"])
    }))
})
