import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { privateInstallation } from "../support/network/private/installation.ts"

let world: Awaited<ReturnType<typeof privateInstallation>>

beforeAll(async () => {
  world = await privateInstallation()
  await world.create("debian:12", "--mem-mib", "256", "--disk-mib", "512")
})
afterAll(() => world.close())

// test/clients/private-registries.test.ts has pip and npm, and clients.test.ts beside it cargo and Go.
describe("clients in a guest that has a placeholder alone, and trusts the workspace's authority without settings", {
  concurrent: false
}, () => {
  it("git clones, fetches and pushes", async () => {
    assert.strictEqual(await world.sh(world.scripts.git), "git demo\nsecond")
    assert.includeMembers(world.sent("/git"), [world.accepted.basic])
  })

  it("curl sends Basic credentials", async () => {
    const url = "https://private.test.net/npm/demo"
    assert.include(await world.sh(`curl -fsS -u "user:$TOKEN" ${url}`), "\"demo@1.0.0\"")
  })

  it("no request had the placeholder, and no program was denied", () => world.isWithoutPlaceholder())
})
