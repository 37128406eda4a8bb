import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect, type PyroClient, type Workspace } from "../../src/sdk/connect.ts"
import { documentedNames } from "../support/handle-docs.ts"
import { runExample } from "../support/handle-examples.ts"
import { installation } from "../support/installation.ts"

/** Examples that another test runs: a commit reads the whole root of the workspace, and a Debian's is large. */
const ELSEWHERE = ["WorkspaceLife.commit"] // test/guest/environment-dockerfile.test.ts

describe("the docstrings of pyro/promises in a real microVM", () => {
  const own = installation("pyro-handle-docs-")
  const before = process.env["PYRO_STATE_DIR"]
  const seed = path.join(own.folder, "seed")
  let pyro: PyroClient
  let ws: Workspace
  beforeAll(async () => {
    Object.assign(process.env, { PYRO_STATE_DIR: own.state, PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" })
    fs.mkdirSync(seed, { recursive: true })
    fs.mkdirSync(path.join(own.folder, "shop"))
    fs.writeFileSync(path.join(own.folder, "shop/pyro.toml"), "memory = 256\n")
    pyro = connect()
    ws = await pyro.create({ name: "fix", memoryMib: 256, networkPolicy: "egress+published-ports" })
    await ws.files.write("test_example.py", "import unittest\n")
  })
  afterAll(async () => {
    await pyro.close()
    if (before === undefined) delete process.env["PYRO_STATE_DIR"]
    else process.env["PYRO_STATE_DIR"] = before
    await own.close()
  })

  const runnable = documentedNames.filter(({ example, name }) => example !== undefined && !ELSEWHERE.includes(name))
  /** Without what an example leaves in this directory, and with a small microVM. */
  const adapted = (example: string) =>
    example
      .replaceAll("\"./", `"${own.folder}/`)
      .replaceAll("ws.push(\".\")", `ws.push(${JSON.stringify(seed)})`)
      .replaceAll("seedPath: \".\"", `seedPath: ${JSON.stringify(seed)}, memoryMib: 256`)
  it.each(runnable.map(({ example = "", name }) => [name, example] as const))(
    "the example of %s runs",
    async (_, example) => {
      await runExample(adapted(example), pyro, ws)
    }
  )

  it("all examples ran", () => assert.isAbove(runnable.length, 50))
})
