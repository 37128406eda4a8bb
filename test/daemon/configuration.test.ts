import { afterAll, assert, describe, it } from "vitest"
import { rawClient } from "../mcp/raw-client.ts"
import { installation } from "../support/installation.ts"
import { pyroPath } from "../support/pyro-cli.ts"

describe("a malformed environment variable", () => {
  const pyro = installation("pyro-configuration-")
  const wrong = { env: { PYRO_POOL_MEMBERS: "two" } }
  const fields = {
    code: "invalid_configuration",
    variable: "PYRO_POOL_MEMBERS",
    value: "two",
    allowed: "an integer from 0 to 64"
  }
  afterAll(pyro.close)

  it("a command that starts the daemon fails on an invalid variable of the daemon", async () => {
    assert.deepInclude(await pyro.failure(["workspace", "list"], wrong), fields)
    assert.isFalse((await pyro.daemon()).running)
    const { code, stderr } = await pyro.call(["run", "debian:12", "--", "true"], wrong)
    assert.strictEqual(code, 125)
    assert.include(stderr, "the environment variable PYRO_POOL_MEMBERS is \"two\"; allowed: an integer from 0 to 64")
    assert.include(stderr, "unset PYRO_POOL_MEMBERS")
  })

  it("a command without the daemon fails on an invalid variable", async () => {
    assert.deepInclude(await pyro.failure(["env", "list"], wrong), fields)
    const { code, message } = await pyro.failure(["gc"], { env: { PYRO_ACCELERATOR: "hvf" } })
    assert.strictEqual(code, "invalid_configuration")
    assert.include(message, "PYRO_ACCELERATOR is \"hvf\"; allowed: kvm or tcg")
  })

  it("an MCP tool fails on an invalid variable", async () => {
    const client = rawClient([process.execPath, pyroPath, "mcp", "serve"], { env: { ...pyro.env, ...wrong.env } })
    await client.initialize()
    const { result } = await client.request("tools/call", { name: "workspace_list", arguments: {} })
    assert.isTrue(result?.["isError"])
    assert.include(
      JSON.stringify(result),
      "invalid_configuration: the environment variable PYRO_POOL_MEMBERS is \\\"two\\\"; allowed: an integer from 0 to 64"
    )
    client.close()
  })

  it("a running daemon ignores an invalid variable of the caller", async () => {
    await pyro.list()
    assert.deepStrictEqual(await pyro.json(["workspace", "list"], wrong), { workspaces: [] })
  })
})
