import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { repair } from "../../../src/agent-host/administer.ts"
import { doctor } from "../../../src/agent-host/doctor.ts"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"
import { skillFile } from "../../../src/agent-host/skill/skill.ts"
import { type HostName, hostNames, type HostScope } from "../../../src/contract/rows/agent-host.ts"
import { filesBeneath, newPlace } from "./place.ts"

const text = fs.readFileSync(path.resolve(import.meta.dirname, "../../../docs/skills/pyro/SKILL.md"), "utf8")

const withSkill = hostNames.filter((name) => agentHosts[name].skills !== undefined)

/** A place of no files, for the tables of tests. */
const place0 = {
  home: "/home",
  state: "/state",
  project: "/project",
  variable: () => undefined,
  exists: () => false
}

describe("pyro's skill in a host", () => {
  let place: ReturnType<typeof newPlace>
  beforeEach(() => {
    place = newPlace()
  })
  afterEach(() => place.remove())

  const fileOf = (host: HostName, scope: HostScope = "user") => skillFile(agentHosts[host], scope, place.place)!
  const connect = (host: HostName, others: Parameters<typeof place.connect>[1] = {}) =>
    place.connect(host, { skill: true, ...others })
  const read = (host: HostName) => fs.readFileSync(fileOf(host), "utf8")
  const mended = (host: HostName) =>
    Effect.runPromise(
      repair({
        host,
        place: place.place,
        scope: "user",
        cwd: place.folder,
        own: "pyro",
        hasProject: true,
        dryRun: false
      })
    )
  const checks = async (host: HostName) =>
    (await Effect.runPromise(
      doctor({ host, place: place.place, cwd: place.folder, own: "pyro", hasProject: true })
    )).checks.filter(({ check }) => check === "skill (user)")

  /** Makes the file as a pyro with another text would have left it. */
  const age = (host: HostName) => {
    const old = "---\nname: pyro\ndescription: an earlier text\n---\n"
    const folder = path.join(place.place.state, "host-files")
    fs.writeFileSync(fileOf(host), old)
    for (const file of fs.readdirSync(folder).filter((name) => name.endsWith("SKILL.md.record"))) {
      const record = JSON.parse(fs.readFileSync(path.join(folder, file), "utf8")) as object
      const wrote = createHash("sha256").update(old).digest("hex")
      fs.writeFileSync(path.join(folder, file), JSON.stringify({ ...record, wrote }))
    }
  }

  it("the hosts with a folder of skills are those of the documents", () => {
    assert.deepStrictEqual([...withSkill].sort(), ["claude-code", "codex", "copilot", "gemini", "goose", "opencode"])
    const { home, project } = place.place
    assert.strictEqual(fileOf("claude-code"), path.join(home, ".claude/skills/pyro/SKILL.md"))
    assert.strictEqual(fileOf("claude-code", "project"), path.join(project, ".claude/skills/pyro/SKILL.md"))
    for (const host of withSkill.filter((name) => name !== "claude-code")) {
      assert.strictEqual(fileOf(host), path.join(home, ".agents/skills/pyro/SKILL.md"))
      assert.strictEqual(fileOf(host, "project"), path.join(project, ".agents/skills/pyro/SKILL.md"))
    }
  })

  it("the folder follows the host's own variables", () => {
    const there = newPlace({ CLAUDE_CONFIG_DIR: "/there", GEMINI_CLI_HOME: "/elsewhere" })
    const of = (host: HostName) => skillFile(agentHosts[host], "user", there.place)
    assert.strictEqual(of("claude-code"), "/there/skills/pyro/SKILL.md")
    assert.strictEqual(of("gemini"), "/elsewhere/.agents/skills/pyro/SKILL.md")
    there.remove()
  })

  it.each(
    withSkill.flatMap((host) =>
      (["user", "project"] as const).filter((scope) => agentHosts[host].config(scope, place0) !== undefined)
        .map((scope) => [host, scope] as const)
    )
  )("connect --skill gives %s the skill in the scope %s, and disconnect leaves nothing", async (host, scope) => {
    const { files } = await connect(host, { scope })
    const file = fileOf(host, scope)
    assert.include(files.map((one) => one.path), file)
    assert.strictEqual(fs.readFileSync(file, "utf8"), text)
    assert.deepStrictEqual((await connect(host, { scope })).files, [])
    await place.disconnect(host, { scope })
    assert.deepStrictEqual(filesBeneath(place.place.home), [])
    assert.deepStrictEqual(filesBeneath(place.place.project), [])
    assert.deepStrictEqual(fs.readdirSync(place.place.home), [])
    assert.deepStrictEqual(
      fs.readdirSync(path.join(place.place.state, "host-files")).filter((name) => name.endsWith(".record")),
      []
    )
  })

  it("connect without --skill writes no skill, and a dry run shows it without a write", async () => {
    await place.connect("codex")
    const dry = await connect("codex", { dryRun: true })
    assert.deepStrictEqual(dry.files.map(({ change, path }) => [change, path]), [["create", fileOf("codex")]])
    assert.include(dry.files[0]!.diff, "+name: pyro\n")
    assert.isFalse(fs.existsSync(path.join(place.place.home, ".agents")))
    await connect("codex")
    assert.strictEqual((await place.disconnect("codex", { dryRun: true })).files.length, 2)
    assert.strictEqual(read("codex"), text)
  })

  it("a host without a known folder of skills refuses --skill and writes nothing", async () => {
    for (const host of hostNames.filter((name) => !withSkill.includes(name))) {
      const refused = await place.refused(host, { skill: true })
      assert.strictEqual(refused.code, "invalid_request")
      assert.include(refused.message, "--skill: pyro knows no folder of skills of")
    }
    assert.deepStrictEqual(filesBeneath(place.place.home), [])
  })

  it("print-config --skill prints the skill and writes nothing", async () => {
    const { files } = await place.printConfig("codex", { skill: true })
    assert.deepStrictEqual(files.at(-1), { path: fileOf("codex"), text })
    assert.deepStrictEqual(filesBeneath(place.place.home), [])
  })

  it("a skill of several hosts stays until the last of them disconnects", async () => {
    await connect("codex")
    assert.deepStrictEqual((await connect("goose")).files.map((one) => one.path), [place.configOf("goose")])
    await place.connect("opencode")
    // OpenCode did not ask for the skill.
    assert.deepStrictEqual((await place.disconnect("opencode")).notes, [])
    const { notes } = await place.disconnect("codex")
    assert.include(notes.join(), "SKILL.md stays, because goose uses it")
    assert.strictEqual(read("goose"), text)
    await place.disconnect("goose")
    assert.deepStrictEqual(fs.readdirSync(place.place.home), [])
  })

  it("disconnect keeps a skill that a person has changed, and says so", async () => {
    await connect("claude-code")
    fs.appendFileSync(fileOf("claude-code"), "My own rule.\n")
    const { files, notes } = await place.disconnect("claude-code")
    assert.include(notes.join(), "SKILL.md stays: it is not as pyro host connect wrote it")
    assert.notInclude(files.map((one) => one.path), fileOf("claude-code"))
    assert.strictEqual(read("claude-code"), `${text}My own rule.\n`)
    const again = await place.disconnect("claude-code")
    assert.deepStrictEqual(again.files, [])
    assert.strictEqual(read("claude-code"), `${text}My own rule.\n`)
  })

  it("disconnect keeps pyro's own text where another person put it", async () => {
    place.write(fileOf("codex"), text)
    assert.notInclude((await connect("codex")).files.map((one) => one.path), fileOf("codex"))
    assert.match((await place.disconnect("codex")).notes.join(), /SKILL\.md stays/)
    assert.strictEqual(read("codex"), text)
  })

  it("connect replaces another skill of that name with --force alone, and disconnect brings it back", async () => {
    const mine = "---\nname: pyro\ndescription: mine\n---\nMine.\n"
    place.write(fileOf("codex"), mine)
    const refused = await place.refused("codex", { skill: true })
    assert.strictEqual(refused.code, "host_entry_differs")
    assert.include(refused.message, fileOf("codex"))
    assert.isFalse(fs.existsSync(place.configOf("codex")))
    await connect("codex", { force: true })
    assert.strictEqual(read("codex"), text)
    assert.strictEqual(place.backup(fileOf("codex")), mine)
    await place.disconnect("codex")
    assert.strictEqual(read("codex"), mine)
  })

  it("connect --skill replaces the text of an earlier pyro, and disconnect removes an earlier text", async () => {
    await connect("gemini")
    age("gemini")
    await connect("gemini")
    assert.strictEqual(read("gemini"), text)
    age("gemini")
    await place.disconnect("gemini")
    assert.deepStrictEqual(fs.readdirSync(place.place.home), [])
  })

  it("doctor sees an earlier, a missing and a changed skill, and repair writes what pyro wrote before", async () => {
    assert.deepStrictEqual(await checks("codex"), [])
    await connect("codex")
    assert.deepStrictEqual(await checks("codex"), [{
      check: "skill (user)",
      status: "ok",
      detail: fileOf("codex")
    }])
    age("codex")
    assert.deepInclude((await checks("codex"))[0], { status: "warning", fix: "pyro host repair codex" })
    // Goose reads the same file, and did not ask for it.
    assert.deepInclude((await checks("goose"))[0], { fix: "pyro host connect goose --skill" })
    await mended("codex")
    assert.strictEqual(read("codex"), text)
    fs.rmSync(fileOf("codex"))
    assert.deepInclude((await checks("codex"))[0], { status: "warning", fix: "pyro host repair codex" })
    await mended("codex")
    assert.strictEqual(read("codex"), text)
    fs.writeFileSync(fileOf("codex"), "mine\n")
    assert.include((await checks("codex"))[0]?.detail, "your own text")
    assert.deepStrictEqual((await mended("codex")).files, [])
    assert.strictEqual(read("codex"), "mine\n")
  })

  it("repair writes no skill that was not requested", async () => {
    await place.connect("codex")
    await mended("codex")
    assert.isFalse(fs.existsSync(fileOf("codex")))
  })

  it.each(["folder", "file"])("connect follows no link of the skill's own %s", async (what) => {
    const victim = path.join(place.folder, "victim", "SKILL.md")
    place.write(victim, "theirs\n")
    const file = fileOf("codex")
    const link = what === "file" ? file : path.dirname(file)
    fs.mkdirSync(path.dirname(link), { recursive: true })
    fs.symlinkSync(what === "file" ? victim : path.dirname(victim), link)
    const refused = await place.refused("codex", { skill: true, force: true })
    assert.strictEqual(refused.code, "host_file_unusable")
    assert.include(refused.message, "a symbolic link leads to")
    assert.strictEqual(fs.readFileSync(victim, "utf8"), "theirs\n")
    assert.isFalse(fs.existsSync(place.configOf("codex")))
    await place.disconnect("codex")
    assert.strictEqual(fs.readFileSync(victim, "utf8"), "theirs\n")
  })

  it("connect --scope project writes no skill through a link that leads out of the project", async () => {
    const outside = path.join(place.folder, "outside")
    fs.mkdirSync(outside)
    fs.symlinkSync(outside, path.join(place.place.project, ".agents"))
    const refused = await place.refused("codex", { skill: true, scope: "project" })
    assert.include(refused.message, "a symbolic link leads out of the project")
    assert.deepStrictEqual(fs.readdirSync(outside), [])
  })

  it("connect and disconnect work in a home whose folder of skills is a link to dotfiles", async () => {
    const dotfiles = path.join(place.folder, "dotfiles")
    fs.mkdirSync(dotfiles)
    fs.symlinkSync(dotfiles, path.join(place.place.home, ".agents"))
    await connect("codex")
    assert.strictEqual(fs.readFileSync(path.join(dotfiles, "skills/pyro/SKILL.md"), "utf8"), text)
    assert.deepStrictEqual((await connect("codex")).files, [])
    await place.disconnect("codex")
    assert.deepStrictEqual(fs.readdirSync(dotfiles), [])
  })
})
