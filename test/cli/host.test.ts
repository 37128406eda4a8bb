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
    const [, backup = ""] = /^changed \S+ \(before: (\S+)\)\n$/.exec(done.stdout) ?? []
    assert.strictEqual(fs.readFileSync(backup, "utf8"), "# mine\nmodel = \"x\"\n")
    assert.deepStrictEqual(fs.readdirSync(join(home, ".codex")), ["config.toml"])
    assert.include(done.stderr, "--approve all")
    assert.match(done.stderr, /^next: restart codex in your project, .*\nnext: pyro host doctor codex\n$/m)
    assert.notInclude(dry.stderr, "next: ")
    assert.include(fs.readFileSync(config(), "utf8"), "# mine\n")
    const again = await pyro("connect", "codex")
    assert.strictEqual(again.stdout, "codex has this entry already: nothing to change\n")
    assert.notInclude(again.stderr, "next: ")
    const other = await pyro("connect", "codex", "--profile", "vm-run")
    assert.strictEqual(other.status, 1)
    assert.include(other.stderr, "--force")
    const gone = JSON.parse((await pyro("disconnect", "codex", "--json")).stdout) as {
      readonly files: ReadonlyArray<{ readonly change: string }>
    }
    assert.deepStrictEqual(gone.files.map(({ change }) => change), ["change"])
    assert.strictEqual(fs.readFileSync(config(), "utf8"), "# mine\nmodel = \"x\"\n")
  })

  it("host disconnect says whose the entry is that it leaves", async () => {
    fs.mkdirSync(join(config(), ".."), { recursive: true })
    fs.writeFileSync(config(), "[mcp_servers.pyro]\ncommand = \"other\"\nargs = [\"x\"]\n")
    const left = await pyro("disconnect", "codex")
    assert.deepStrictEqual([left.status, left.stdout, left.stderr], [
      0,
      `${config()} has no entry that pyro wrote: nothing to change\n`,
      `note: the entry pyro in ${config()} is for another program (other x), and stays\n`
    ])
  })

  it("host connect checks the options of the server and the host's name, and writes nothing", async () => {
    for (
      const [args, word] of [
        [["codex", "--", "--nonsense"], "--nonsense"],
        [["codex", "--", "--network-ceiling"], "--network-ceiling"],
        [["codex", "--dry-run", "--", "--network-ceiling", "bogus"], "--network-ceiling: must be off, egress"],
        [["codex", "--", "--allow-read", "/nowhere/at/all"], "--allow-read"],
        [["codex", "--", "--secret-http", "TOKEN@api.example.com"], "there is no secret TOKEN"],
        [["codex", "--mode", "inspect", "--profile", "vm-run"], "cannot be combined with --profile"],
        [["codex", "--mode", "inspect", "--", "--profile", "vm-run"], "cannot be combined with --profile"],
        [["codex", "--mode", "review"], "review-eval"],
        [["codex", "--git", "all"], "--git"],
        [["codex", "--git", "full", "--", "--git", "none"], "--git"],
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

  it("host connect --git sets the history that the server copies", async () => {
    const { status, stderr, stdout } = await pyro("connect", "codex", "--git", "full", "--dry-run")
    assert.strictEqual(status, 0, stderr)
    assert.match(stdout, /^\+args = \[.*"mcp", "serve", "--git", "full"\]$/m)
    const printed = await pyro("print-config", "codex", "--git", "none")
    assert.include(printed.stdout, "\"--git\", \"none\"")
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

  it("host connect --skill shows and writes the skill, and disconnect says what it removes", async () => {
    const skill = join(home, ".agents", "skills", "pyro", "SKILL.md")
    const dry = await pyro("connect", "codex", "--skill", "--dry-run")
    assert.strictEqual(dry.status, 0, dry.stderr)
    assert.include(dry.stdout, `+++ ${skill}\n`)
    assert.isFalse(fs.existsSync(skill))
    const done = await pyro("connect", "codex", "--skill")
    assert.include(done.stdout, `created ${skill}\n`)
    assert.match(fs.readFileSync(skill, "utf8"), /^---\nname: pyro\n/)
    assert.strictEqual((await pyro("connect", "goose", "--skill")).status, 0)
    const kept = await pyro("disconnect", "codex")
    assert.include(kept.stderr, `note: ${skill} stays, because goose uses it\n`)
    const gone = await pyro("disconnect", "goose")
    assert.include(gone.stdout, `removed ${skill}\n`)
    const refused = await pyro("connect", "zed", "--skill")
    assert.strictEqual(refused.status, 2)
    assert.include(refused.stderr, "pyro knows no folder of skills of Zed")
    assert.deepStrictEqual(fs.readdirSync(home), [])
  })

  it("host print-config prints paths and texts", async () => {
    const { status, stdout } = await pyro("print-config", "zed", "--", "--network-ceiling", "egress:npm")
    assert.strictEqual(status, 0)
    assert.include(stdout, `${join(home, ".config/zed/settings.json")}:\n\n{`)
    assert.include(stdout, "\"egress:npm\"")
    assert.deepStrictEqual(fs.readdirSync(home), [])
  })

  /** A PATH with pyro. */
  const withPyro = () => {
    const bin = join(home, "bin")
    fs.mkdirSync(bin)
    fs.writeFileSync(join(bin, "pyro"), `#!/bin/sh\nexec "${process.execPath}" "${binary.entry}" "$@"\n`, {
      mode: 0o755
    })
    return `${bin}:/usr/bin:/bin`
  }

  interface Checks {
    readonly checks: ReadonlyArray<
      { readonly check: string; readonly status: string; readonly detail: string; readonly fix?: string }
    >
  }

  it("host doctor starts the server as the host would and says what the host sees, and repair mends the entry", async () => {
    const env = { HOME: home, CODEX_HOME: "", PATH: withPyro(), PYRO_WORKSPACE: "x" }
    const diagnose = async () => {
      const { status, stdout } = await run(binary, ["host", "doctor", "codex", "--json"], { env })
      return { status, checks: (JSON.parse(stdout.toString()) as Checks).checks }
    }
    const without = await diagnose()
    assert.strictEqual(without.status, 1)
    assert.strictEqual(without.checks.at(-1)?.fix, "pyro host connect codex")
    assert.strictEqual((await run(binary, ["host", "connect", "codex", "--profile", "vm-run"], { env })).status, 0)
    const good = await diagnose()
    assert.deepStrictEqual(good.checks.filter(({ status }) => status === "failed"), [])
    assert.lengthOf(good.checks.filter(({ detail }) => detail.includes(", 1 tools (vm-run)")), 2)
    fs.writeFileSync(
      config(),
      fs.readFileSync(config(), "utf8").replace("command = \"pyro\"", "command = \"/gone/pyro\"")
    )
    const bad = await diagnose()
    assert.strictEqual(bad.status, 1)
    assert.include(JSON.stringify(bad.checks), "/gone/pyro")
    assert.strictEqual((await run(binary, ["host", "repair", "codex"], { env })).status, 0)
    assert.deepStrictEqual(
      (await diagnose()).checks.map(({ status }) => status),
      good.checks.map(({ status }) => status)
    )
  })

  it.each(
    [
      ["codex", "npm_key", "env_vars = []"],
      ["gemini", "npm_key", "\"env\": {}"]
    ] as const
  )("host doctor names a secret that %s does not give to the server", async (host, name, without) => {
    const env = { HOME: home, CODEX_HOME: "", GEMINI_CLI_HOME: "", PATH: withPyro() }
    const doctor = async (others: Readonly<Record<string, string>>) => {
      const { stdout } = await run(binary, ["host", "doctor", host, "--json"], { env: { ...env, ...others } })
      return (JSON.parse(stdout.toString()) as Checks).checks.filter(({ status }) => status === "failed")
    }
    const connected = await run(binary, ["host", "connect", host, "--", "--secret-env", name], { env })
    assert.strictEqual(connected.status, 0, connected.stderr)
    assert.include(connected.stderr, `needs the variable ${name}`)
    assert.deepStrictEqual(await doctor({ [name]: "a-long-value" }), [])
    assert.match((await doctor({}))[0]?.fix ?? "", new RegExp(`^export ${name}=`))
    const file = host === "codex" ? config() : join(home, ".gemini", "settings.json")
    const text = fs.readFileSync(file, "utf8")
    fs.writeFileSync(file, text.replace(/env_vars = \[.*\]|"env": \{[^}]*\}/, without))
    const [failed] = await doctor({ [name]: "a-long-value" })
    assert.strictEqual(failed?.fix, `pyro host repair ${host}`)
    assert.strictEqual((await run(binary, ["host", "repair", host], { env })).status, 0)
    assert.strictEqual(fs.readFileSync(file, "utf8"), text)
  })

  it.each([
    ["another program", (evil: string) => ({ command: evil, args: ["mcp", "serve"] })],
    [
      "variables",
      (evil: string) => ({ command: "pyro", args: ["mcp", "serve"], env: { NODE_OPTIONS: `--require ${evil}` } })
    ]
  ])("host doctor starts no server for a project's entry with %s", async (_, entry) => {
    const project = fs.mkdtempSync(join(binary.folder, "project-"))
    const evil = join(project, "pyro")
    fs.writeFileSync(
      evil,
      `#!/bin/sh\n":" //; touch "${project}/ran"\nrequire("fs").writeFileSync("${project}/ran", "")\n`,
      { mode: 0o755 }
    )
    fs.writeFileSync(join(project, ".mcp.json"), JSON.stringify({ mcpServers: { pyro: entry(evil) } }))
    const env = { HOME: home, CLAUDE_CONFIG_DIR: "", PATH: withPyro() }
    const { stdout } = await run(binary, ["host", "doctor", "claude-code", "--project-path", project, "--json"], {
      env
    })
    assert.include(stdout.toString(), "not started")
    assert.isFalse(fs.existsSync(join(project, "ran")))
  })
})
