import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { agentHosts, configure, type Place } from "./agent-hosts.ts"
import { newPlace, play, type Played } from "./play.ts"
import { FINISHED, startModel } from "./scripted-model.ts"

const root = path.resolve(import.meta.dirname, "../..")
const plugin = path.join(root, "dist/agent-plugin")
const skill = fs.readFileSync(path.join(root, "docs/skills/pyro/SKILL.md"), "utf8")
const description = /^description: (.+)$/m.exec(skill)![1]!

/** Runs a host's program. The test sees both outputs. */
const ask = (place: Place, program: string, args: ReadonlyArray<string>, input = "") => {
  const { status, stderr, stdout } = spawnSync(place.program(program), args, {
    cwd: place.project,
    env: { ...place.env, GEMINI_CLI_TRUST_WORKSPACE: "true" },
    input,
    encoding: "utf8",
    timeout: 120_000
  })
  return { status, printed: `${stdout}${stderr}` }
}

describe.each(agentHosts.map((host) => [host.name, host] as const))("%s that is connected with --skill", (_, host) => {
  const { close, env, folder } = installation("pyro-hosts-")
  let played: Played
  let model: Awaited<ReturnType<typeof startModel>>

  beforeAll(async () => {
    // A call that needs no microVM.
    model = await startModel(host.dialect, [{ tool: "workspace_diff", args: { workspace_id: "none" } }])
    const place = newPlace(folder, env, model.origin)
    configure(host, place, ["--skill"])
    played = await play(host, place)
  })
  afterAll(async () => {
    await model.close()
    await close()
  })

  it("the host's model reads the description of the skill", () => {
    assert.include(played.printed, FINISHED, model.requests.join("\n"))
    assert.include(model.bodies.join("\n"), JSON.stringify(description).slice(1, -1))
  })
})

describe("the plugin, to the hosts' own programs", () => {
  const { close, env, folder } = installation("pyro-hosts-")
  let place: Place

  beforeAll(() => {
    place = newPlace(folder, env, "http://127.0.0.1:9")
  })
  afterAll(() => close())

  /** A copy of the plugin with a manifest that no host accepts. */
  const broken = (manifest: string) => {
    const copy = fs.mkdtempSync(path.join(folder, "broken-"))
    fs.cpSync(plugin, copy, { recursive: true })
    fs.writeFileSync(path.join(copy, manifest), JSON.stringify({ version: 1 }))
    return copy
  }

  it.each(["", ".claude-plugin/plugin.json"])("claude plugin validate --strict accepts the plugin's %j", (part) => {
    const { printed, status } = ask(place, "claude", ["plugin", "validate", "--strict", path.join(plugin, part)])
    assert.strictEqual(status, 0, printed)
    const bad = path.join(broken(".claude-plugin/plugin.json"), ".claude-plugin/plugin.json")
    assert.notStrictEqual(ask(place, "claude", ["plugin", "validate", "--strict", bad]).status, 0)
  })

  it("gemini extensions validate accepts the extension", () => {
    const { printed, status } = ask(place, "gemini", ["extensions", "validate", plugin])
    assert.strictEqual(status, 0, printed)
    assert.include(printed, "successfully validated")
    const bad = ask(place, "gemini", ["extensions", "validate", broken("gemini-extension.json")])
    assert.notInclude(bad.printed, "successfully validated")
  })

  it("Claude Code installs the plugin from the folder, and reaches the server and the skill", () => {
    assert.strictEqual(ask(place, "claude", ["plugin", "marketplace", "add", plugin]).status, 0)
    const installed = ask(place, "claude", ["plugin", "install", "pyro@pyro"])
    assert.strictEqual(installed.status, 0, installed.printed)
    assert.match(ask(place, "claude", ["plugin", "details", "pyro"]).printed, /Skills \(1\) +pyro\n/)
    assert.match(ask(place, "claude", ["mcp", "list"]).printed, /plugin:pyro:pyro: pyro mcp serve .*Connected/)
  })

  it("Gemini CLI installs the extension from the folder, and reaches the server and the skill", () => {
    // It asks whether this person trusts the folder.
    const installed = ask(place, "gemini", ["extensions", "install", plugin, "--consent"], "y\n")
    assert.strictEqual(installed.status, 0, installed.printed)
    assert.match(
      ask(place, "gemini", ["skills", "list"]).printed,
      /pyro \[Enabled\][^]*extensions\/pyro\/skills\/pyro\/SKILL\.md/
    )
    assert.match(ask(place, "gemini", ["mcp", "list"]).printed, /✓ pyro \(from pyro\): pyro mcp serve .*Connected/)
  })
})

describe("the shared folder of skills", () => {
  const { close, env, folder } = installation("pyro-hosts-")
  afterAll(() => close())

  it("every host that reads the folder lists one skill of pyro, in both scopes", () => {
    const place = newPlace(folder, env, "http://127.0.0.1:9")
    const connect = (...args: ReadonlyArray<string>) =>
      execFileSync("pyro", ["host", "connect", ...args, "--skill"], {
        cwd: place.project,
        env: place.env,
        stdio: "pipe"
      })
    for (const host of ["codex", "opencode", "gemini", "copilot"]) connect(host)
    const listed = (program: string, args: ReadonlyArray<string>) => ask(place, program, args).printed
    const file = path.join(place.home, ".agents/skills/pyro/SKILL.md")
    const gemini = listed("gemini", ["skills", "list"])
    assert.include(gemini, file)
    assert.notInclude(gemini, "Skill conflict")
    assert.include(listed("opencode", ["debug", "skill"]), file)
    assert.include(listed("copilot", ["skill", "list"]), description)
    for (const host of ["codex", "opencode", "gemini", "copilot"]) {
      execFileSync("pyro", ["host", "disconnect", host], { cwd: place.project, env: place.env, stdio: "pipe" })
    }
    assert.notInclude(listed("copilot", ["skill", "list"]), description)
    connect("gemini", "--scope", "project")
    const inProject = path.join(place.project, ".agents/skills/pyro/SKILL.md")
    assert.include(listed("gemini", ["skills", "list"]), inProject)
    assert.include(listed("opencode", ["debug", "skill"]), inProject)
    assert.match(listed("copilot", ["skill", "list"]), /Project skills:\n +pyro - /)
  })
})
