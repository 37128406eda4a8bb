import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { guestBuild } from "./agent.ts"

/** An agent whose kernel refuses to steer: a script that carries the agent, drops the capabilities, and becomes the agent. */
const withoutSteering = `#!/bin/sh
sed -e '1,/^exec /d' "$0" > /tmp/agent
chmod 700 /tmp/agent
exec setpriv --bounding-set=-bpf,-sys_admin /tmp/agent "$@"
`

describe("a guest that cannot steer", () => {
  const { folder, remove: removeFolder } = temporaryFolder("pyro-unsteered-")
  const program = path.join(folder, "agent")
  fs.writeFileSync(program, Buffer.concat([Buffer.from(withoutSteering), fs.readFileSync(guestBuild)]), { mode: 0o755 })
  const driver = localAgent(program)
  let client: WorkspacesClient
  const { call, create, list, remove, sh, vmsNow } = operations(() => client)
  beforeAll(async () => {
    client = await driver.open()
  })
  afterAll(async () => {
    await driver.close(client)
    removeFolder()
  })

  it("a workspace with a network policy is not created, and nothing of it stays", async () => {
    const failure = await call("create", { name: "w", memory_mib: 256, disk_mib: 512, allow_hosts: ["first.test.net"] })
      .then(() => "created", ({ message }: Error) => message)
    assert.include(failure, "the guest cannot have a network")
    assert.deepStrictEqual(await list(), [])
    assert.deepStrictEqual(vmsNow(), [])
    const workspaces = path.join(client.state, "workspaces")
    assert.deepStrictEqual(fs.readdirSync(workspaces), [])
  })

  it("the name is free at once, for a workspace without a network", async () => {
    await create("w")
    assert.strictEqual(await sh("w", "echo works"), "works")
    await remove("w")
  })

  it("a workspace whose attempts would be logged is created all the same", async () => {
    await call("create", { name: "w", memory_mib: 256, disk_mib: 512, network_policy: "off" })
    assert.strictEqual(await sh("w", "echo works"), "works")
    await remove("w")
  })
})
