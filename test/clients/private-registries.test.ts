import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { privateInstallation } from "../support/network/private/installation.ts"

const ENVIRONMENT = "debian:12-build"
/** Builds the environment from the real host's network: the network of the test lacks Debian. */
const builder = installation("pyro-private-builder-")
let world: Awaited<ReturnType<typeof privateInstallation>>

beforeAll(async () => {
  await builder.json(["env", "pull", ENVIRONMENT])
  world = await privateInstallation()
  await world.create(ENVIRONMENT, "--mem-mib", "768", "--disk-mib", "512")
})
afterAll(async () => {
  await world.close()
  await builder.close()
})

// test/guest/secret-http-clients.test.ts has git and curl, in `npm test`.
describe(`clients of ${ENVIRONMENT}, in a guest that has a placeholder alone`, { concurrent: false }, () => {
  it("pip installs from an index with Basic credentials", async () => {
    assert.strictEqual(await world.sh(world.scripts.pip), "pypi demo")
    assert.includeMembers(world.sent("/pypi/files"), [world.accepted.basic])
  })

  it("npm installs with a token", async () => {
    assert.strictEqual(await world.sh(world.scripts.npm), "npm demo")
    assert.includeMembers(world.sent("/npm"), [world.accepted.bearer])
  })

  it("no request had the placeholder, and no program was denied", () => world.isWithoutPlaceholder())
})
