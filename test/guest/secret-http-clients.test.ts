import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { privateInstallation } from "../support/network/private/installation.ts"

let world: Awaited<ReturnType<typeof privateInstallation>>

beforeAll(async () => {
  world = await privateInstallation()
  await world.create("debian:12-build", "--mem-mib", "768", "--disk-mib", "512")
})
afterAll(() => world.close())

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

  it("pip installs from an index with Basic credentials", async () => {
    assert.strictEqual(await world.sh(world.scripts.pip), "pypi demo")
    assert.includeMembers(world.sent("/pypi/files"), [world.accepted.basic])
  })

  it("npm installs with a token", async () => {
    assert.strictEqual(await world.sh(world.scripts.npm), "npm demo")
    assert.includeMembers(world.sent("/npm"), [world.accepted.bearer])
  })

  it("no request had the placeholder, and no program was denied", async () => {
    const all = world.sent("/").map((one) => Buffer.from(one.replace(/^Basic /, ""), "base64").toString() + one)
    assert.notInclude(all.join("\n"), "pyro_secret")
    const { entries } = await world.pyro.json<{ readonly entries: ReadonlyArray<unknown> }>(
      ["workspace", "network", "log", "clients", "--denied"]
    )
    assert.deepStrictEqual(entries, [])
  })
})
