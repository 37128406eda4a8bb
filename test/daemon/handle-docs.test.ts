import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect, type PyroClient, type Workspace } from "../../src/sdk/connect.ts"
import { sanitizedBuild } from "../agent/agent.ts"
import { documentedNames } from "../support/documents/handle-docs.ts"
import { runExample } from "../support/documents/handle-examples.ts"
import { startLocalDaemon } from "../support/local-agent/daemon.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

/** Examples that another test runs: a commit reads the whole root of the workspace, and a local agent's is the host's. */
const ELSEWHERE = ["WorkspaceLife.commit"] // test/guest/environment-dockerfile.test.ts

// test/guest/sdk-first-run.test.ts and library.test.ts have programs with microVMs.
describe("the docstrings of pyro/promises over local agents", { concurrent: false }, () => {
  const { folder, remove } = temporaryFolder("pyro-handle-docs-")
  const variables = {
    PYRO_STATE_DIR: path.join(folder, "state"),
    PYRO_CACHE_DIR: path.join(folder, "cache"),
    PYRO_REWIND_MIB: "2048",
    PYRO_REWIND_EVERY_MS: "0",
    PYRO_POOL_MEMBERS: "0"
  }
  Object.assign(process.env, variables)
  const seed = path.join(folder, "seed")
  let daemon: Awaited<ReturnType<typeof startLocalDaemon>>
  let pyro: PyroClient
  let ws: Workspace
  beforeAll(async () => {
    fs.mkdirSync(seed)
    fs.mkdirSync(path.join(folder, "shop"))
    fs.writeFileSync(path.join(folder, "shop/pyro.toml"), "memory = 256\n")
    daemon = await startLocalDaemon(folder, sanitizedBuild, { ...process.env, PYRO_DAEMON_IDLE_MS: "600000" })
    pyro = connect()
    ws = await pyro.create({ name: "fix", networkPolicy: "egress+published-ports" })
    await ws.files.write("test_example.py", "import unittest\n")
  })
  afterAll(async () => {
    for (const one of await pyro.list()) await one.delete()
    await pyro.close()
    await daemon.close()
    remove()
  })

  const runnable = documentedNames.filter(({ example, name }) => example !== undefined && !ELSEWHERE.includes(name))
  /** Without what an example leaves in this directory, and with a file that a local agent has. */
  const adapted = (example: string) =>
    example
      .replaceAll("/etc/os-release", "/etc/passwd")
      .replaceAll("\"./", `"${folder}/`)
      .replaceAll("ws.push(\".\")", `ws.push(${JSON.stringify(seed)})`)
      .replaceAll("seedPath: \".\"", `seedPath: ${JSON.stringify(seed)}`)
  it.each(runnable.map(({ example = "", name }) => [name, example] as const))(
    "the example of %s runs",
    async (_, example) => {
      await runExample(adapted(example), pyro, ws)
    }
  )

  it("all examples ran", () => assert.isAbove(runnable.length, 50))
})
