import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "../cli/build-fake.ts"
import { run } from "../cli/cli-process.ts"
import { projectServers } from "./project-servers.ts"

const binary = buildFake()
const { project, serve } = projectServers(binary)

const file = () => path.join(project, "pyro.toml")

/** What a new server says of itself, and the workspace that its model makes without arguments. */
const made = async (...args: ReadonlyArray<string>) => {
  const client = serve(["--profile", "workspace-full", ...args])
  const { result } = await client.initialize()
  const instructions = String(result?.["instructions"])
  const id = await client.create({})
  const { stdout } = await run(binary, ["workspace", "status", id, "--json"])
  const { environment, memory_mib: memory } = JSON.parse(stdout.toString())
  return { instructions, environment, memory, complained: client.stderr() }
}

describe("a server in a project with a file", () => {
  beforeAll(() =>
    fs.writeFileSync(file(), "environment = \"fake:own\"\nmemory = 768\n[network]\nallow_hosts = [\"npm\"]\n")
  )
  afterAll(() => fs.rmSync(file()))

  it("makes workspaces of the file's environment and sizes, unless its options say otherwise", async () => {
    const { environment, instructions, memory } = await made()
    assert.deepStrictEqual([environment, memory], ["fake:own", 768])
    assert.include(instructions, "Default environment: fake:own.")
    assert.strictEqual((await made("--environment", "fake:option")).environment, "fake:option")
  })

  it("gives a model the file's network only after the person granted it", async () => {
    const before = await made()
    assert.notInclude(before.instructions, "egress")
    assert.include(before.complained, "asks for more, which pyro up grants: connections to npm")
    await run(binary, ["up", project, "--yes"])
    const after = await made()
    assert.include(after.instructions, "the most that you may ask for is egress:npm.")
    assert.strictEqual(after.complained, "")
    assert.notInclude((await made("--network-ceiling", "off")).instructions, "egress")
  })

  it("goes on without a file that it cannot use, and says so on stderr", async () => {
    fs.writeFileSync(file(), "memmory = 768\n")
    const { complained, environment } = await made()
    assert.strictEqual(environment, "debian:12")
    assert.include(complained, "pyro.toml:1: memmory: there is no such key")
  })
})
