import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { ABSENT } from "../support/lifecycle/local-agent-services.ts"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { guestBuild } from "./agent.ts"

describe("a workspace of an environment that is not on the host, over a local agent", () => {
  const driver = localAgent(guestBuild)
  let client: WorkspacesClient
  const { call, list } = operations(() => client)
  beforeAll(async () => {
    client = await driver.open()
  })
  afterAll(() => driver.close(client))

  const createWith = (more: object) =>
    call("create", { name: "w", environment: ABSENT, disk_mib: 512, ...more })
      .then(() => "created", ({ message }: Error) => message)

  it("is refused before the build if the host has no room for its microVM, and nothing of it stays", async () => {
    assert.match(await createWith({ memory_mib: 1_048_576 }), /no space in the memory store .*1048576 MiB needed/)
    assert.deepStrictEqual(await list(), [])
    assert.deepStrictEqual(fs.readdirSync(path.join(client.state, "workspaces")), [])
    assert.match(await createWith({ memory_mib: 128 }), /no images to build/)
  })
})
