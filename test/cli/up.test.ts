import * as fs from "node:fs"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { eventually, onTerminal, run } from "./cli-process.ts"

const binary = buildFake()

const FILE = "[network]\nallow_hosts = [\"npm\"]\n"

describe("pyro up and down", () => {
  let project: string
  beforeEach(() => {
    project = fs.mkdtempSync(join(binary.folder, "project-"))
    fs.writeFileSync(join(project, "pyro.toml"), FILE)
  })
  afterEach(async () => {
    await run(binary, ["delete", "--all"])
    fs.rmSync(project, { recursive: true })
  })

  const pyro = async (...args: ReadonlyArray<string>) => {
    const { status, stderr, stdout } = await run(binary, args)
    return { status, stderr, stdout: stdout.toString() }
  }
  const names = async () => (await pyro("list", "--id-only")).stdout

  /** What the person answers, the exit status, and what the terminal showed. */
  const answered = async (answer: string) => {
    const { ended, screen, terminal } = onTerminal(binary, `"$@"`, ["up", project])
    await eventually("the question", () => screen().includes("[y/N] "), screen)
    terminal.write(answer)
    return { status: await ended, screen: screen() }
  }

  it.each([
    ["the answer n", "n\r", 1],
    ["an empty answer", "\r", 1],
    ["the end of the input", "\u0004", 1],
    ["Ctrl-C", "\u0003", 130]
  ])("%s grants nothing and makes nothing", async (_, keys, status) => {
    const refused = await answered(keys)
    assert.strictEqual(refused.status, status, refused.screen)
    assert.include(refused.screen, "pyro.toml asks for:\r\n  connections to npm\r\nGrant all of it? [y/N] ")
    assert.strictEqual(await names(), "")
    const again = await pyro("up", project)
    assert.strictEqual(again.status, 1)
    assert.include(
      again.stderr,
      "asks for what you have not granted:\n  connections to npm\nGrant all of it: pyro up --yes"
    )
    assert.strictEqual(await names(), "")
  })

  it("text of the file adds no line to the question, and each part of a long question is asked", async () => {
    const globs = [
      "a\\n  connections to nothing",
      "b\\u001b[2J\\u202ec",
      ...Array.from({ length: 30 }, (_, at) => `file-${at}`)
    ]
    fs.writeFileSync(
      join(project, "pyro.toml"),
      `[seed]\ninclude_ignored = [${
        globs.map((glob) => `"${glob}"`).join(", ")
      }]\n[network]\nallow_hosts = ["host.pyro.internal:22"]\n`
    )
    const { ended, screen, terminal } = onTerminal(binary, `"$@"`, ["up", project])
    await eventually("the first part", () => screen().includes("Grant these, part 1 of 2? [y/N] "), screen)
    assert.include(screen(), "  connections to port 22 of this computer (host.pyro.internal:22)\r\n")
    assert.include(screen(), "ignores: a\\n\\x20\\x20connections to nothing\r\n")
    assert.include(screen(), "ignores: b\\x1b[2J\\u202ec\r\n")
    terminal.write("y\r")
    await eventually("the second part", () => screen().includes("Grant these, part 2 of 2? [y/N] "), screen)
    assert.include(screen(), "ignores: file-29\r\n")
    terminal.write("n\r")
    assert.strictEqual(await ended, 1)
    assert.strictEqual(await names(), "")
  })

  it("the answer y is remembered until the file asks for more", async () => {
    const granted = await answered("y\r")
    assert.strictEqual(granted.status, 0, granted.screen)
    const again = await pyro("up", project)
    assert.match(again.stdout, /^project-\w+ runs already\n$/)
    fs.writeFileSync(join(project, "pyro.toml"), FILE.replace("\"npm\"", "\"npm\", \"pypi\""))
    const more = await pyro("up", project, "--json")
    assert.strictEqual(more.status, 1)
    assert.deepInclude(JSON.parse(more.stdout).error, {
      code: "project_not_accepted",
      asks: ["connections to npm", "connections to pypi"]
    })
  })

  it("--yes grants, --json has one document, and --dry-run changes nothing", async () => {
    const dry = await pyro("up", project, "--dry-run", "--json")
    assert.deepStrictEqual(JSON.parse(dry.stdout), {
      project,
      file: join(project, "pyro.toml"),
      asks: ["connections to npm"],
      granted: false
    })
    assert.strictEqual(await names(), "")
    const up = JSON.parse((await pyro("up", project, "--yes", "--json")).stdout)
    assert.deepInclude(up, { project, was: "created", changed: [], needs_recreate: [] })
    assert.strictEqual((await names()).trim(), up.workspace)
    assert.deepInclude(JSON.parse((await pyro("up", project, "--dry-run", "--json")).stdout), {
      granted: true,
      workspace: up.workspace,
      state: "running"
    })
    const { stdout } = await pyro("list", "--label", "up=pyro.toml", "--id-only")
    assert.strictEqual(stdout.trim(), up.workspace)
    const down = await pyro("down", project, "--delete")
    assert.match(down.stdout, /^project-\w+ is deleted\n$/)
    assert.strictEqual(await names(), "")
    assert.strictEqual((await pyro("down", project)).status, 0)
  })

  it("a wrong file and a directory without one are errors that say what to do", async () => {
    fs.writeFileSync(join(project, "pyro.toml"), "memmory = 1\n")
    const wrong = await pyro("up", project, "--yes")
    assert.strictEqual(wrong.status, 1)
    assert.include(wrong.stderr, "pyro.toml:1: memmory: there is no such key. Did you mean memory?")
    fs.rmSync(join(project, "pyro.toml"))
    const missing = await pyro("up", project)
    assert.strictEqual(missing.status, 1)
    assert.include(missing.stderr, "has no pyro.toml")
    assert.strictEqual((await pyro("up", join(project, "nowhere"))).status, 2)
  })
})
