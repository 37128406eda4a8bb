import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import { portSuite } from "../support/lifecycle/port-suite.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { sanitizedBuild } from "./agent.ts"

portSuite("a local agent", localAgent(sanitizedBuild), 21_300)

// In a network namespace of its own, the first port for everybody is 1024, whatever the host's setting.
describe("published ports of an ordinary user", () => {
  const driver = localAgent(sanitizedBuild)
  const inNamespace = process.getuid!() === 0 ? ["unshare", "--net"] : ["unshare", "--net", "--user", "--map-root-user"]
  const unprivileged = "ip link set lo up && exec setpriv --bounding-set=-net_bind_service \"$@\""
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open({ enter: [...inNamespace, "sh", "-c", unprivileged, "sh"] })
  })
  afterAll(() => driver.close(client))

  it("a port of the host below 1024 is refused with the reason, and another one works", async () => {
    const { call, create, remove } = operations(() => client)
    await create("a")
    const publish = (port: string) => call<{ readonly hostPort: number }>("port-publish", { workspace: "a", port })
    assert.match(
      await publish("80:3000").then(() => "it succeeded", String),
      /PortUnavailable: this host refuses to listen on port 80: .*EACCES/
    )
    assert.isAbove((await publish("3000")).hostPort, 1_023)
    await remove("a")
  })
})
