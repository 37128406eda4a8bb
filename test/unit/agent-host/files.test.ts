import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { filesBeneath, newPlace } from "./place.ts"

describe("files of a host", () => {
  let place: ReturnType<typeof newPlace>
  let config: string
  beforeEach(() => {
    place = newPlace()
    config = place.configOf("codex")
  })
  afterEach(() => place.remove())

  it("a changed file keeps its mode and its owner", async () => {
    place.write(config, "a = 1\n")
    fs.chmodSync(config, 0o640)
    if (process.getuid?.() === 0) fs.chownSync(config, 1234, 4321)
    const { gid, uid } = fs.statSync(config)
    await place.connect("codex")
    const after = fs.statSync(config)
    assert.deepStrictEqual([after.mode & 0o777, after.uid, after.gid], [0o640, uid, gid])
    const [kept] = filesBeneath(place.place.state).filter((file) => file.endsWith(".1"))
    assert.strictEqual(fs.statSync(path.join(place.place.state, kept!)).mode & 0o777, 0o600)
  })

  it("a symbolic link stays, and its target changes", async () => {
    const real = path.join(place.folder, "dotfiles", "codex.toml")
    place.write(real, "a = 1\n")
    fs.mkdirSync(path.dirname(config), { recursive: true })
    fs.symlinkSync(real, config)
    await place.connect("codex")
    assert.strictEqual(fs.readlinkSync(config), real)
    assert.include(fs.readFileSync(real, "utf8"), "[mcp_servers.pyro]")
    assert.strictEqual(place.backup(config), "a = 1\n")
    await place.disconnect("codex")
    assert.strictEqual(fs.readFileSync(real, "utf8"), "a = 1\n")
    assert.deepStrictEqual(fs.readdirSync(path.dirname(real)), ["codex.toml"])
  })

  it.each([
    ["a read-only file", () => fs.chmodSync(config, 0o444), "read-only"],
    ["a directory in the file's place", () => {
      fs.rmSync(config)
      fs.mkdirSync(config)
    }, "no regular file"],
    ["a link to nothing", () => {
      fs.rmSync(config)
      fs.symlinkSync("/nowhere/at/all", config)
    }, "ENOENT"],
    ["a file that is no text", () => fs.writeFileSync(config, Buffer.from([0xff, 0xfe, 0x00])), "UTF-8"]
  ])("%s stays as it is, and the error says so", async (_, prepare, word) => {
    place.write(config, "a = 1\n")
    prepare()
    const refusal = await place.refused("codex")
    assert.strictEqual(refusal._tag, "HostFileUnusable")
    assert.include(refusal.message, word)
    assert.deepStrictEqual(filesBeneath(path.dirname(config)).filter((file) => file !== "config.toml"), [])
  })

  it("no file changes if one of several cannot be written", async () => {
    const settings = path.join(place.place.home, ".claude", "settings.json")
    place.write(settings, "{}\n")
    fs.chmodSync(settings, 0o444)
    await place.refused("claude-code")
    assert.deepStrictEqual(filesBeneath(place.place.home), [".claude/settings.json"])
  })

  it.each([
    ["file", () => fs.symlinkSync(path.join(place.place.home, "x.json"), path.join(place.place.project, ".mcp.json"))],
    ["directory", () => fs.symlinkSync(place.place.home, path.join(place.place.project, ".claude"))]
  ])("a link of a project to a %s outside is not followed", async (_, link) => {
    place.write(path.join(place.place.home, "x.json"), "{}\n")
    link()
    const refusal = await place.refused("claude-code", { scope: "project" })
    assert.include(refusal.message, "leads out of the project")
    assert.deepStrictEqual(filesBeneath(place.place.home), ["x.json"])
    assert.lengthOf(filesBeneath(place.place.project), 1)
  })

  it("no backup is overwritten", async () => {
    place.write(config, "a = 1\n")
    await place.connect("codex")
    await place.connect("codex", { approve: "all" })
    await place.connect("codex", { approve: "none" })
    const backups = [1, 2, 3].map((number) => place.backup(config, number))
    assert.strictEqual(backups[0], "a = 1\n")
    assert.strictEqual(new Set(backups).size, 3)
  })

  it("a byte order mark stays", async () => {
    const file = place.configOf("cursor")
    place.write(file, "\uFEFF{ \"a\": 1 }\n")
    await place.connect("cursor")
    assert.isTrue(fs.readFileSync(file, "utf8").startsWith("\uFEFF{"))
    await place.disconnect("cursor")
    assert.strictEqual(fs.readFileSync(file, "utf8"), "\uFEFF{ \"a\": 1 }\n")
  })
})
