import * as fs from "node:fs"
import { join } from "node:path"
import { afterEach, assert, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { run } from "./cli-process.ts"

const binary = buildFake()

/** No proxy of the host that runs the tests. */
const none = Object.fromEntries(
  ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap((name) => [[name, ""], [name.toUpperCase(), ""]])
)
const proxies = { HTTP_PROXY: "http://me:word@127.0.0.1:9", https_proxy: "http://me:word@127.0.0.1:9" }

const pyro = async (shell: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) => {
  const { status, stderr, stdout } = await run(binary, args, { env: { ...none, ...shell } })
  assert.notInclude(stderr + stdout.toString(), "word@")
  return { status, stderr, stdout: stdout.toString() }
}

const MESSAGE = "the running daemon connects with its own HTTP_PROXY, https_proxy, which differ from this shell's; " +
  "to use this shell's: pyro daemon stop (workspaces go on)"
const WARNING = `pyro: warning: ${MESSAGE}\n`
const granted = ["--allow-host", "example.com"]

const times = (text: string) => text.split(WARNING).length - 1

describe("a proxy of another shell than the daemon's", () => {
  afterEach(() => pyro({}, "delete", "--all"))

  it.each([
    ["create with a network", ["create", ...granted], 1],
    ["create with a policy", ["create", "--network-policy", "egress"], 1],
    ["create without a network", ["create"], 0],
    ["create with no network", ["create", "--network-policy", "off"], 0],
    ["run with a network", ["run", "debian:12", ...granted, "--", "true"], 1],
    ["run without a network", ["run", "debian:12", "--", "true"], 0],
    ["a list", ["list"], 0]
  ])("%s: a warning where the proxies matter", async (_, words, expected) => {
    await pyro({}, "list")
    const { status, stderr } = await pyro(proxies, ...words)
    assert.strictEqual(status, 0, stderr)
    assert.strictEqual(times(stderr), expected, stderr)
    assert.strictEqual(times((await pyro({}, ...words)).stderr), 0)
  })

  it("the warning is part of the result, and --quiet prints none", async () => {
    await pyro({}, "list")
    const { stderr, stdout } = await pyro(proxies, "create", ...granted, "--json")
    assert.strictEqual(stderr, "")
    assert.deepStrictEqual(JSON.parse(stdout).warnings, [{ message: MESSAGE }, { message: "1 file skipped" }])
    assert.strictEqual((await pyro(proxies, "create", ...granted, "--quiet")).stderr, "")
  })

  it("a workspace that exists: network set warns of a network, and up each time", async () => {
    await pyro({}, "create", "--name", "fix")
    assert.strictEqual(times((await pyro(proxies, "network", "set", "fix", ...granted)).stderr), 1)
    assert.strictEqual(times((await pyro(proxies, "network", "set", "fix", "--network-policy", "off")).stderr), 0)
    const project = fs.mkdtempSync(join(binary.folder, "project-"))
    fs.writeFileSync(join(project, "pyro.toml"), "[network]\nallow_hosts = [\"npm\"]\n")
    for (const was of ["is created", "runs already"]) {
      const { stderr, stdout } = await pyro(proxies, "up", project, "--yes")
      assert.include(stdout, was)
      assert.strictEqual(times(stderr), 1, stderr)
    }
  })

  it("after daemon stop the next daemon has this shell's proxies, and a shell without them is warned", async () => {
    await pyro({}, "list")
    await pyro(proxies, "daemon", "stop")
    const { stderr } = await pyro(proxies, "create", ...granted)
    assert.strictEqual(times(stderr), 0, stderr)
    assert.strictEqual(times((await pyro({}, "create", ...granted)).stderr), 1)
    await pyro({}, "daemon", "stop")
  })
})

describe("a setting of another shell than the daemon's", () => {
  const settings = { PYRO_CACHE_DIR: join(binary.folder, "other-cache"), PYRO_POOL_MEMBERS: "7" }
  const warning =
    "pyro: warning: the running daemon keeps its own PYRO_CACHE_DIR, PYRO_POOL_MEMBERS, which differ from " +
    "this shell's; to use this shell's: pyro daemon stop (workspaces go on)\n"

  afterEach(() => pyro({}, "delete", "--all"))

  it("create and run warn once of settings that the daemon has taken at its start, and other commands do not", async () => {
    await pyro({}, "list")
    assert.strictEqual((await pyro(settings, "create", "--name", "fix")).stderr.split(warning).length, 2)
    assert.strictEqual((await pyro(settings, "run", "debian:12", "--", "true")).stderr, warning)
    assert.notInclude((await pyro(settings, "list")).stderr, "warning")
    assert.notInclude((await pyro({}, "create")).stderr, "keeps its own")
  })

  it("after daemon stop the next daemon has this shell's settings", async () => {
    await pyro(settings, "daemon", "stop")
    assert.notInclude((await pyro(settings, "create")).stderr, "keeps its own")
    await pyro({}, "daemon", "stop")
  })
})
