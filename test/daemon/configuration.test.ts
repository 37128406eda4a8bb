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

describe("a proxy that is set after the daemon's start", () => {
  const pyro = installation("pyro-configuration-")
  afterAll(pyro.close)

  interface Setting {
    readonly name: string
    readonly value?: number | string
    readonly source: string
    readonly daemon?: { readonly value?: number | string; readonly source: string }
  }

  it("config tells this shell's proxy from that of the running daemon, and daemon stop ends the difference", async () => {
    const without = { env: { https_proxy: "", HTTPS_PROXY: "" } }
    const shell = { env: { https_proxy: "", HTTPS_PROXY: "http://me:word@127.0.0.1:9" } }
    const proxy = async (more: typeof shell) => {
      const { settings } = await pyro.json<{ readonly settings: ReadonlyArray<Setting> }>(["config"], more)
      const { daemon, source, value } = settings.find(({ name }) => name === "HTTPS_PROXY")!
      return { daemon, source, value }
    }
    const shown = "http://***@127.0.0.1:9"
    await pyro.json(["list"], without)
    assert.deepStrictEqual(await proxy(shell), { daemon: { source: "default" }, source: "environment", value: shown })
    const { stderr, stdout } = await pyro.call(["config"], shell)
    assert.match(stdout.toString(), /\nHTTPS_PROXY +none +daemon\n/)
    assert.match(stderr, /other values than this shell: HTTPS_PROXY; to use this shell's: pyro daemon stop/)
    await pyro.json(["daemon", "stop"])
    await pyro.json(["list"], shell)
    assert.deepStrictEqual(await proxy(shell), { daemon: undefined, source: "environment", value: shown })
    assert.deepStrictEqual((await proxy(without)).daemon, { source: "environment", value: shown })
  })
})
