import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { privateInstallation } from "../support/network/private/installation.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const ENVIRONMENT = "clients"
const { folder: state, remove } = temporaryFolder("pyro-clients-")
/** Builds the environment from the real host's network. */
const builder = installation("pyro-clients-builder-", { env: { PYRO_STATE_DIR: state } })
let world: Awaited<ReturnType<typeof privateInstallation>>

beforeAll(async () => {
  const { code, stderr } = await builder.call(
    ["env", "build", ENVIRONMENT, "--from", "debian:13", "--packages", "cargo,golang-go"]
  )
  assert.strictEqual(code, 0, stderr)
  await builder.json(["daemon", "stop"])
  world = await privateInstallation(state)
  await world.create(ENVIRONMENT, "--mem-mib", "2048", "--disk-mib", "4096")
})
afterAll(async () => {
  await world.close()
  await builder.json(["env", "rm", ENVIRONMENT])
  await builder.close()
  remove()
})

describe("clients of Debian's packages, in a guest that has a placeholder alone", () => {
  it("cargo builds with a crate of a private registry", async () => {
    assert.strictEqual(await world.sh(world.scripts.cargo), "cargo demo")
    assert.includeMembers(world.sent("/cargo/crates"), [world.accepted.token])
  })

  it("go builds with a module of a private proxy", async () => {
    const output = await world.sh(world.scripts.go)
    assert.match(output, /go demo$/)
    assert.includeMembers(world.sent("/go/"), [world.accepted.basic])
  })
})
