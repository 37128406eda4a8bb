import * as fs from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { run } from "./cli-process.ts"

const binary = buildFake()

describe("pyro host", () => {
  let home: string
  beforeEach(() => {
    home = fs.mkdtempSync(join(binary.folder, "home-"))
  })
  afterEach(() => fs.rmSync(home, { recursive: true }))

  const pyro = async (...args: ReadonlyArray<string>) => {
    // Variables that would lead away from the home directory are empty.
    const env = { HOME: home, CODEX_HOME: "", CLAUDE_CONFIG_DIR: "", XDG_CONFIG_HOME: "" }
    const { status, stderr, stdout } = await run(binary, ["host", ...args], { env })
    return { status, stderr, stdout: stdout.toString() }
  }
  const config = () => join(home, ".codex", "config.toml")

  it("host connect shows a diff, writes the file, and then has nothing to change", async () => {
    fs.mkdirSync(join(home, ".codex"))
    fs.writeFileSync(config(), "# mine\nmodel = \"x\"\n")
    const dry = await pyro("connect", "codex", "--dry-run")
    assert.strictEqual(dry.status, 0, dry.stderr)
    assert.include(dry.stdout, "\n+[mcp_servers.pyro]\n")
    assert.strictEqual(fs.readFileSync(config(), "utf8"), "# mine\nmodel = \"x\"\n")
    const done = await pyro("connect", "codex")
    assert.strictEqual(done.stdout, `changed ${config()} (before: ${config()}.pyro-backup)\n`)
    assert.include(done.stderr, "--approve all")
    assert.include(fs.readFileSync(config(), "utf8"), "# mine\n")
    const again = await pyro("connect", "codex")
    assert.strictEqual(again.stdout, "codex has this entry already: nothing to change\n")
    const other = await pyro("connect", "codex", "--profile", "vm-run")
    assert.strictEqual(other.status, 1)
    assert.include(other.stderr, "--force")
    const gone = JSON.parse((await pyro("disconnect", "codex", "--json")).stdout) as {
      readonly files: ReadonlyArray<{ readonly change: string }>
    }
    assert.deepStrictEqual(gone.files.map(({ change }) => change), ["change"])
    assert.strictEqual(fs.readFileSync(config(), "utf8"), "# mine\nmodel = \"x\"\n")
  })

  it("host connect checks the options of the server and the host's name, and writes nothing", async () => {
    for (
      const [args, word] of [
        [["codex", "--", "--nonsense"], "--nonsense"],
        [["codex", "--", "--network-ceiling"], "--network-ceiling"],
        [["emacs"], "claude-code"],
        [["goose", "--scope", "project"], "--scope user"],
        [["cursor", "--scope", "project", "--project-path", home], "--project-path"],
        [["codex", "--approve", "some"], "--approve"]
      ] as const
    ) {
      const refused = await pyro("connect", ...args)
      assert.strictEqual(refused.status, 2, refused.stderr)
      assert.include(refused.stderr, word)
    }
    assert.deepStrictEqual(fs.readdirSync(home), [])
  })

  it("host connect --scope project writes to the project's files", async () => {
    const project = fs.mkdtempSync(join(binary.folder, "project-"))
    const done = await pyro("connect", "claude-code", "--scope", "project", "--project-path", project)
    assert.strictEqual(done.status, 0, done.stderr)
    const { mcpServers } = JSON.parse(fs.readFileSync(join(project, ".mcp.json"), "utf8")) as {
      readonly mcpServers: { readonly pyro: { readonly args: ReadonlyArray<string> } }
    }
    assert.deepStrictEqual(mcpServers.pyro.args, ["mcp", "serve"])
    assert.deepStrictEqual(fs.readdirSync(home), [])
  })

  it("host print-config prints paths and texts", async () => {
    const { status, stdout } = await pyro("print-config", "zed", "--", "--network-ceiling", "egress:npm")
    assert.strictEqual(status, 0)
    assert.include(stdout, `${join(home, ".config/zed/settings.json")}:\n\n{`)
    assert.include(stdout, "\"egress:npm\"")
    assert.deepStrictEqual(fs.readdirSync(home), [])
  })
})
